"""The options that every daemon with connections has, and the service around its factory."""

from collections.abc import Sequence
from typing import Any

from twisted.application.service import IService

from netlab.common.daemon import CleanExit, DaemonOptions, InOrder, ListeningService, allow_files, option, whole
from netlab.common.json_log import JsonLog
from netlab.common.limits import ConnectionLimits
from netlab.common.notify import NotifyService
from netlab.common.quiet_collector import QuietCollector
from netlab.common.serving import ServedFactory
from netlab.common.slim_poll import SlimPolling

_LIMITS = ConnectionLimits()
_LOG_JSON = "Write every event of the log to this file as well, one JSON object a line"

CONNECTION_PARAMETERS = [
    option("max-connections", _LIMITS.max_connections, "Clients at once; more are closed as they come", whole(1)),
    option("log-json", None, _LOG_JSON),
]


def daemon_service(
    options: DaemonOptions,
    factory: ServedFactory[Any],
    reactor: Any,
    needed: Sequence[IService] = (),
    *,
    files_each: int = 1,
) -> InOrder:
    """The whole daemon: its log, its way to exit, its listening, what it tells systemd; it stops in the other order.

    :param options: with ``listen``, ``max-connections`` and ``log-json``.
    :param needed: services that answering needs: they run before it begins and until it has ended.
    :param files_each: how many files a connection may have open, itself included.
    :raises CannotStart: ``--listen`` is no endpoint.
    """
    allow_files(options["max-connections"] * files_each)
    service = InOrder()
    if options["log-json"]:
        JsonLog(options.daemon, options["log-json"], options.cannot_start).setServiceParent(service)
    CleanExit(reactor).setServiceParent(service)
    QuietCollector(reactor).setServiceParent(service)
    SlimPolling(reactor).setServiceParent(service)
    for each in needed:
        each.setServiceParent(service)
    endpoint = options.endpoint("listen", reactor)
    ListeningService(
        options.daemon, options["listen"], endpoint, factory, factory.stop, options.cannot_start
    ).setServiceParent(service)
    NotifyService(reactor).setServiceParent(service)
    return service
