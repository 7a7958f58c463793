"""What a program and the watchdog that is its child tell each other, besides the protocol: a JSON object a line.

They go through pipes that nobody else has. From the program come the last request it sent, and the wish that the
command it had started be ended; from the watchdog, what becomes of that.
"""

import json

from attrs import asdict, field, frozen
from attrs.validators import and_, in_, instance_of, max_len

from netlab.watchdog.errors import NoNote

#: Bytes of a line; a longer one is not one of ours.
MAX_LINE = 1024

#: The longest text of a request; the rest is cut off by whoever sends it.
MAX_TEXT = 200


@frozen
class Request:
    """The program asked something, at ``at`` seconds of the monotonic clock."""

    at: float = field(validator=instance_of(float))
    text: str = field(validator=and_(instance_of(str), max_len(MAX_TEXT)))


@frozen
class Finish:
    """The program wants its command ended, politely by ``signal``, the name of one, first."""

    signal: str = field(validator=in_({"SIGINT", "SIGTERM", "SIGHUP"}))


@frozen
class Expired:
    """The watchdog has begun to end the program: its signs of life had stopped."""


@frozen
class Refused:
    """The command cannot be started; ``found`` says whether there is such a file at all."""

    reason: str = field(validator=instance_of(str))
    found: bool = field(validator=instance_of(bool))


@frozen
class Ended:
    """The command has ended, and all that it started.

    ``status`` is 0 to 255, or minus the number of the signal that it died of. ``expired`` says whether that was the
    watchdog's doing, ``killed`` whether SIGKILL was needed.
    """

    status: int = field(validator=instance_of(int))
    expired: bool = field(validator=instance_of(bool))
    killed: bool = field(validator=instance_of(bool))


Note = Request | Finish | Expired | Refused | Ended

_KINDS: dict[str, type[Note]] = {kind.__name__.lower(): kind for kind in (Request, Finish, Expired, Refused, Ended)}


def write_note(note: Note) -> bytes:
    """A line, with its end."""
    return json.dumps({"note": type(note).__name__.lower(), **asdict(note)}).encode() + b"\n"


def read_note(line: bytes) -> Note:
    """The note of a line, with or without its end.

    :raises NoNote: it is none.
    """
    try:
        fields = json.loads(line)
        return _KINDS[fields.pop("note")](**fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NoNote(f"a line that is no note: {line[:80]!r}") from None
