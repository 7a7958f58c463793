"""The options that every daemon with connections has, and the service around its factory."""

from typing import Any

from twisted.application.service import MultiService

from netlab.common.daemon import CleanExit, DaemonOptions, JsonLog, ListeningService, allow_files, option, whole
from netlab.common.limits import ConnectionLimits
from netlab.common.notify import NotifyService
from netlab.common.serving import ServedFactory

_LIMITS = ConnectionLimits()
_LOG_JSON = "Write every event of the log to this file as well, one JSON object a line"

CONNECTION_PARAMETERS = [
    option("max-connections", _LIMITS.max_connections, "Clients at once; more are closed as they come", whole(1)),
    option("log-json", None, _LOG_JSON),
]


def daemon_service(options: DaemonOptions, factory: ServedFactory[Any], reactor: Any) -> MultiService:
    """The whole daemon: the log it writes, its way to exit, its listening, and what it tells systemd.

    :param options: with ``listen``, ``max-connections`` and ``log-json``.
    :raises CannotStart: ``--listen`` is no endpoint.
    """
    allow_files(options["max-connections"])
    service = MultiService()
    if options["log-json"]:
        JsonLog(options["log-json"]).setServiceParent(service)
    CleanExit(reactor).setServiceParent(service)
    endpoint = options.endpoint("listen", reactor)
    ListeningService(
        options.daemon, options["listen"], endpoint, factory, factory.stop, options.cannot_start
    ).setServiceParent(service)
    NotifyService(reactor).setServiceParent(service)
    return service
