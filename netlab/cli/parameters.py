"""Checks of options that more than one command can have."""

import math

import click


def seconds(_ctx: click.Context, _parameter: click.Parameter, value: str) -> float:
    """A click callback: how long something may take, more than no time and not for ever.

    :raises click.BadParameter: ``value`` is no such number.
    """
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise click.BadParameter(f"{value!r} is no number of seconds above 0")
    return number
