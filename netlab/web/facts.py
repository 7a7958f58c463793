"""What is known of a file before a byte of it is read, and the validators that follow from it (RFC 9110 §8.8)."""

from typing import NamedTuple

from attrs import field, frozen
from werkzeug.http import http_date

from netlab.web.media import is_worth_packing, media_type

#: Seconds. A file changed so recently can change again and keep its times: clocks of file systems tick that slowly.
_TICK = 0.1

#: The first second of the year 10000, which no date of HTTP can say.
_LAST_SECOND = 253_402_300_800


class Stamp(NamedTuple):
    """What tells one state of a file from another; times in nanoseconds."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    def is_settled(self, now: float) -> bool:
        """Whether a change from ``now`` (unix seconds) on will show."""
        return max(self.modified, self.changed) / 1e9 < now - _TICK


@frozen
class Facts:
    """One file as a resource: its media type, length and validators.

    ``modified`` is in whole unix seconds and never after the moment when the file was looked at (RFC 9110 §8.8.2.1).
    ``tag`` is the opaque part of its entity tag, without quotes; ``is_settled`` says that the date is a strong
    validator, too.
    """

    size: int
    modified: int
    tag: str
    kind: str
    is_settled: bool
    last_modified: str = field(init=False)

    @last_modified.default
    def _last_modified(self) -> str:
        return http_date(self.modified)

    @property
    def worth_packing(self) -> bool:
        """Whether the type is one that gzip makes shorter."""
        return is_worth_packing(self.kind)


def facts_of(path: bytes, stamp: Stamp, now: float) -> Facts:
    """The facts of the file at ``path`` that has this stamp ``now`` (unix seconds)."""
    modified = min(max(0, stamp.modified // 1_000_000_000), int(now), _LAST_SECOND - 1)
    tag = f"{stamp.modified:x}-{stamp.size:x}-{stamp.inode:x}"
    # A second is what a date can tell apart (RFC 9110 §8.8.2.2).
    return Facts(stamp.size, modified, tag, media_type(path), is_settled=stamp.modified / 1e9 < now - 1)
