"""What one client may take."""

from attrs import field, frozen, validators

from netlab.common.limits import ConnectionLimits

_positive = validators.gt(0.0)
_counts = validators.gt(0)


@frozen
class Limits(ConnectionLimits):
    """Times in seconds, sizes in bytes.

    16 kB for a head and 8 kB for a target are between what Apache (8 kB a line, 100 fields) and nginx (four buffers of
    8 kB) allow. The times are the lab's own (one second of silence) and what those servers give a slow peer, divided
    by six: here somebody looks on.
    """

    #: Silence of the client, between requests or within one, after which its connection is closed.
    idle_timeout: float = field(default=1.0, validator=_positive)
    #: From the first byte of a request to its last.
    request_timeout: float = field(default=10.0, validator=_positive)
    #: How long a client may take none of the bytes that wait for it.
    send_timeout: float = field(default=10.0, validator=_positive)
    #: The request line and all fields, their ends of line included.
    max_head: int = field(default=16_384, validator=_counts)
    max_target: int = field(default=8_192, validator=_counts)
    max_fields: int = field(default=100, validator=_counts)
