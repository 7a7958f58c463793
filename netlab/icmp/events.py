"""What becomes of echo requests, one value for each thing that happens.

Times are in nanoseconds. ``number`` counts the requests to a target from 0 and is never wrapped; `sequence_of` it is
what the packet says.
"""

from enum import Enum

from attrs import frozen

from netlab.icmp.packet import Family


@frozen
class Target:
    """Whom we ping: the name as it was given, and the address that it has."""

    name: str
    address: str
    family: Family


@frozen
class Answered:
    """A request was answered after ``rtt``; ``late`` if that was after its time-out."""

    target: Target
    number: int
    rtt: int
    late: bool = False


@frozen
class Duplicated:
    """An answered request was answered once more, ``rtt`` after it was sent; ``copies`` counts from 1."""

    target: Target
    number: int
    rtt: int
    copies: int


@frozen
class Lost:
    """A request was not answered in its time."""

    target: Target
    number: int


@frozen
class Reported:
    """``sender``, a router or a host, reports an error about a request: ``cause``, in words."""

    target: Target
    number: int
    sender: str
    cause: str
    type: int
    code: int


@frozen
class Unsent:
    """A request could not be sent, for ``reason``, the system's own words."""

    target: Target
    number: int
    reason: str


Event = Answered | Duplicated | Lost | Reported | Unsent


class Foreign(Enum):
    """Why a packet that came is none of ours."""

    IDENTIFIER = "with another identifier"
    ADDRESS = "from another address"
    TOKEN = "with a wrong token"
    CUT = "truncated"
    CHECKSUM = "with a wrong checksum"
    MALFORMED = "malformed"
    UNASKED = "to no request that is known"
    ERROR = "errors about others' packets"


def sequence_of(number: int) -> int:
    """The sequence number that request ``number`` has in its packet: 16 bits."""
    return number & 0xFFFF
