"""What all the clients of a daemon together may take of it."""

from attrs import field, frozen, validators


@frozen
class ConnectionLimits:
    """Times are seconds."""

    #: Connections at once; more are closed as they come.
    max_connections: int = field(default=20_000, validator=validators.gt(0))
    #: How long connections may take to finish when the daemon stops.
    stop_timeout: float = field(default=5.0, validator=validators.gt(0.0))
