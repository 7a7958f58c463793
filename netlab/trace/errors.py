"""What can be wrong with a capture file.

A file that is damaged half-way is no reason to lose its first half: readers give every record up to the damage and
then raise. `netlab.trace.reading` turns that into a `Damage` beside the packets.
"""

from netlab.common.errors import RemoteError


class TraceError(RemoteError):
    """A capture cannot be used; its text is one sentence for a person."""


class NotACapture(TraceError):
    """The first bytes are those of no capture format that is known here."""


class DamagedCapture(TraceError):
    """The file breaks its format, or ends too early, at byte ``offset`` (from 0, unpacked if it was packed)."""

    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(f"{problem} (at byte {offset:,})")
        self.problem = problem
        self.offset = offset
