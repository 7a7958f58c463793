"""Glue: the catalogues, from the files beside this one, as `scripts/words` compiled them."""

from gettext import GNUTranslations
from pathlib import Path

from netlab.trace.words.language import Language

#: Code: whether it runs from right to left.
LANGUAGES = {"en": False, "he": True}


def language(code: str) -> Language:
    """The language ``code``, one of `LANGUAGES`."""
    with Path(__file__).with_name(f"{code}.mo").open("rb") as file:
        return Language(code, GNUTranslations(file), right_to_left=LANGUAGES[code])
