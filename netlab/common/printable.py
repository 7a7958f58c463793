"""Texts of strangers, made harmless."""


def printable(text: str) -> str:
    """``text`` with everything escaped that a terminal could take for a command, or that would not be seen."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
