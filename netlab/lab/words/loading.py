"""Glue: the language of reports: the bench's catalogue, and behind it the microscope's."""

from gettext import GNUTranslations
from pathlib import Path

from netlab.trace.words import loading
from netlab.trace.words.language import Language

LANGUAGES = loading.LANGUAGES


def language(code: str) -> Language:
    """The language ``code``, one of `LANGUAGES`."""
    with Path(__file__).with_name(f"{code}.mo").open("rb") as file:
        translations = GNUTranslations(file)
    with Path(loading.__file__).with_name(f"{code}.mo").open("rb") as file:
        translations.add_fallback(GNUTranslations(file))
    return Language(code, translations, right_to_left=LANGUAGES[code])
