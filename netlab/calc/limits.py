"""What one peer may take of a daemon."""

from attrs import field, frozen, validators

from netlab.common.limits import ConnectionLimits

_seconds = validators.gt(0.0)
_count = validators.gt(0)


@frozen
class Limits(ConnectionLimits):
    """Times are seconds."""

    #: A peer that asks nothing, or reads no answer, for this long is closed.
    idle_timeout: float = field(default=60.0, validator=_seconds)
    #: A packet begun must be finished within this.
    packet_timeout: float = field(default=10.0, validator=_seconds)
    #: Answers that may wait for a peer that does not read, before its requests are no longer read.
    max_pending: int = field(default=1_000, validator=_count)
