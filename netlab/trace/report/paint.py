"""Colour at a terminal, where there is any."""

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"


class Paint:
    """Puts text into colours, or leaves it as it is."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def strong(self, text: str) -> str:
        """A heading."""
        return self._in(_BOLD, text)

    def dim(self, text: str) -> str:
        """What may be passed over."""
        return self._in(_DIM, text)

    def odd(self, text: str) -> str:
        """What is worth a look."""
        return self._in(_YELLOW, text)

    def good(self, text: str) -> str:
        """What is as it should be."""
        return self._in(_GREEN, text)

    def bad(self, text: str) -> str:
        """What ended badly."""
        return self._in(_RED, text)

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if self.colour and text else text
