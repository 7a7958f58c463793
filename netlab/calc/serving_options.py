"""The options that all daemons of the calculator protocol have, and the service around their factories."""

from typing import Any

from attrs import asdict
from twisted.application.service import MultiService

from netlab.calc.limits import Limits
from netlab.calc.serving import ServingFactory
from netlab.common.daemon import (
    CleanExit,
    DaemonOptions,
    JsonLog,
    ListeningService,
    QuietCollector,
    allow_files,
    option,
    seconds,
    whole,
)

_LIMITS = Limits()
_IDLE = "Seconds after which a client that asks nothing, or reads no answer, is closed"
_PACKET = "Seconds in which a packet begun must be finished"
_PENDING = "Answers that may wait for a client that does not read before its requests are no longer read"
_LOG_JSON = "Write every event of the log to this file as well, one JSON object a line"

SERVING_PARAMETERS = [
    option("idle-timeout", _LIMITS.idle_timeout, _IDLE, seconds),
    option("packet-timeout", _LIMITS.packet_timeout, _PACKET, seconds),
    option("max-connections", _LIMITS.max_connections, "Clients at once; more are closed as they come", whole(1)),
    option("max-pending", _LIMITS.max_pending, _PENDING, whole(1)),
    option("log-json", None, _LOG_JSON),
]
SERVING_FLAGS = [["no-request-log", None, "Leave the lines for each request and response out of the log"]]


def limits_of(options: DaemonOptions) -> Limits:
    """What the options say that one peer may take."""
    return Limits(**{name: options[name.replace("_", "-")] for name in asdict(_LIMITS) if name != "stop_timeout"})


def daemon_service(options: DaemonOptions, factory: ServingFactory, reactor: Any) -> MultiService:
    """The whole daemon: the log it writes, its way to exit, and its listening.

    :raises CannotStart: ``--listen`` is no endpoint.
    """
    allow_files(options["max-connections"])
    service = MultiService()
    if options["log-json"]:
        JsonLog(options["log-json"]).setServiceParent(service)
    CleanExit(reactor).setServiceParent(service)
    QuietCollector(reactor).setServiceParent(service)
    endpoint = options.endpoint("listen", reactor)
    ListeningService(options.daemon, options["listen"], endpoint, factory, factory.stop).setServiceParent(service)
    return service
