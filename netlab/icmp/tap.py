"""``twistd netlab-ping``: the options of the ping daemon and the service they make."""

import os
from typing import Any

from twisted.application.service import IService
from twisted.internet.endpoints import clientFromString
from twisted.python.usage import UsageError

from netlab.common.daemon import CannotStart, CleanExit, DaemonOptions, InOrder, option, seconds, whole
from netlab.common.errors import LocalError
from netlab.common.json_log import JsonLog
from netlab.common.monotonic import use_monotonic_clock
from netlab.common.notify import NotifyService
from netlab.icmp.payload import MAX_SIZE
from netlab.icmp.reporting import WatchdogReport
from netlab.icmp.service import PingService
from netlab.icmp.wishes import Wishes

_WISHES = Wishes()

_WATCHDOG = "The watchdog to tell of every reply, a client endpoint such as tcp:127.0.0.1:3000"
_LOG_JSON = "Write every event of the log to this file as well, one JSON object a line"


class Options(DaemonOptions):
    """The command line of ``twistd netlab-ping``."""

    daemon = "netlab-ping"
    cannot_start = 2
    synopsis = "[options] TARGET..."
    longdesc = (
        "Pings hosts, given by name or address, for as long as it runs, and logs the fate of every request: replies, "
        "losses, late and duplicated replies, ICMP errors, and when a host stops answering and answers again."
    )

    optParameters = [
        option("interval", _WISHES.interval, "Seconds from one request to a target to the next", seconds),
        option("timeout", _WISHES.timeout, "Seconds after which a request without an answer is lost", seconds),
        option("size", _WISHES.size, "Bytes of data in a request", whole(0, MAX_SIZE)),
        option("ttl", None, "Time to live, or hop limit, of requests; the system's own by default", whole(1, 255)),
        option("report", 60.0, "Seconds from one line of statistics for each target to the next", seconds),
        option("watchdog", None, _WATCHDOG),
        option("log-json", None, _LOG_JSON),
    ]
    optFlags = [
        ["no-reply-log", None, "Leave the lines for each reply out of the log"],
        ["watchdog-required", None, "Stop when the watchdog is not there, or goes away"],
    ]

    def parseArgs(self, *targets: str) -> None:
        """Take the targets."""
        self["targets"] = targets

    def postOptions(self) -> None:
        """See that there is something to do, and that it can be done.

        :raises UsageError: not so.
        """
        if not self["targets"]:
            raise UsageError("name the hosts to ping")
        misplaced = [name for name in self["targets"] if name.startswith("-")]
        if misplaced:
            raise UsageError(f"{misplaced[0]} is no host; options go before the hosts")
        if self["watchdog-required"] and not self["watchdog"]:
            raise UsageError("--watchdog-required needs --watchdog")
        twice = {name for name in self["targets"] if self["targets"].count(name) > 1}
        if twice:
            raise UsageError(f"{min(twice)} is named twice")
        try:
            self.wishes.check(is_root=os.geteuid() == 0)
        except LocalError as error:
            raise UsageError(str(error)) from None

    @property
    def wishes(self) -> Wishes:
        """How to ping."""
        return Wishes(**{name: self[name] for name in ("interval", "timeout", "size", "ttl")})


def makeService(options: Options, reactor: Any = None) -> IService:
    """The daemon as a service.

    :param reactor: for tests; `None` for the one twistd runs.
    :raises CannotStart: ``--watchdog`` is no endpoint.
    """
    if reactor is None:
        from twisted.internet import reactor
    use_monotonic_clock(reactor)
    service = InOrder()
    if options["log-json"]:
        JsonLog(options.daemon, options["log-json"], options.cannot_start).setServiceParent(service)
    CleanExit(reactor).setServiceParent(service)
    report = _report(options, reactor)
    pinging = PingService(
        reactor,
        options["targets"],
        options.wishes,
        options["report"],
        reply_log=not options["no-reply-log"],
        alive=report.alive if report else lambda: None,
    )
    pinging.setServiceParent(service)
    if report:
        report.setServiceParent(service)
    NotifyService(reactor, is_well=lambda: pinging.pinger.is_pinging).setServiceParent(service)
    return service


def _report(options: Options, reactor: Any) -> WatchdogReport | None:
    """The reports to a watchdog, if there is to be one."""
    description = options["watchdog"]
    if not description:
        return None
    try:
        endpoint = clientFromString(reactor, description)
    except Exception as error:  # its parser raises whatever comes of a wrong text
        reason = f"--watchdog {description} is no client endpoint such as tcp:127.0.0.1:3000 ({error})"
        raise CannotStart(f"{options.daemon}: {reason}", 2) from None
    return WatchdogReport(reactor, endpoint, description, bool(options["watchdog-required"]))
