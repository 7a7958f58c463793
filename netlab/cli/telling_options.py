"""What `netlab trace` and `netlab capture` are told about telling: the language, and names for programs."""

import os
from collections.abc import Callable
from typing import TypeVar

import click

from netlab.common.errors import LocalError
from netlab.trace.words.people import Roles

#: The codes of `netlab.trace.words.loading.LANGUAGES`, which is not imported for a list of two.
_LANGUAGES = ("en", "he")

_Function = TypeVar("_Function", bound=Callable[..., object])


def lang_option(command: _Function) -> _Function:
    """Give ``command`` the option ``--lang``."""
    say = "English or Hebrew; the default is the locale's."
    return click.option("--lang", type=click.Choice(_LANGUAGES), help=say)(command)


def roles_option(command: _Function) -> _Function:
    """Give ``command`` the option ``--roles``."""
    say = "Names for programs, such as 9998=proxy,127.0.0.1:9999=server."
    return click.option("--roles", default="", metavar="PORT=NAME,…", help=say)(command)


def language_here() -> str:
    """The language of the locale, English if there is no catalogue for it."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    code = next(filter(None, names), "en").partition("_")[0].lower()
    return {"iw": "he"}.get(code, code if code in _LANGUAGES else "en")


def roles_given(text: str) -> Roles:
    """What ``--roles`` says.

    :raises click.UsageError: it is no such list.
    """
    from netlab.trace.roles import roles_of

    try:
        return roles_of(text)
    except LocalError as error:
        raise click.UsageError(f"--roles: {error}") from None
