"""The options that all daemons of the calculator protocol have."""

from attrs import asdict

from netlab.calc.limits import Limits
from netlab.common.daemon import DaemonOptions, option, seconds, whole
from netlab.common.serving_options import CONNECTION_PARAMETERS

_LIMITS = Limits()
_IDLE = "Seconds after which a client that asks nothing, or reads no answer, is closed"
_PACKET = "Seconds in which a packet begun must be finished"
_PENDING = "Answers that may wait for a client that does not read before its requests are no longer read"

SERVING_PARAMETERS = [
    option("idle-timeout", _LIMITS.idle_timeout, _IDLE, seconds),
    option("packet-timeout", _LIMITS.packet_timeout, _PACKET, seconds),
    option("max-pending", _LIMITS.max_pending, _PENDING, whole(1)),
    *CONNECTION_PARAMETERS,
]
SERVING_FLAGS = [["no-request-log", None, "Leave the lines for each connection, request and response out of the log"]]


def limits_of(options: DaemonOptions) -> Limits:
    """What the options say that one peer may take."""
    return Limits(**{name: options[name.replace("_", "-")] for name in asdict(_LIMITS) if name != "stop_timeout"})
