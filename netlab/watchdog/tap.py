"""``twistd netlab-watchdog``: the options of the watchdog daemon and the service they make."""

import signal
from typing import Any

from twisted.application.service import IService, Service
from twisted.logger import Logger

from netlab.common.daemon import DaemonOptions, option, seconds
from netlab.common.monotonic import use_monotonic_clock
from netlab.common.serving_options import CONNECTION_PARAMETERS, daemon_service
from netlab.watchdog.command import CommandAction
from netlab.watchdog.expiry import Action, KillAction, LogAction
from netlab.watchdog.policy import Kind, Policy, read_policy
from netlab.watchdog.restart import RestartAction
from netlab.watchdog.server import Rules, WatchdogFactory
from netlab.watchdog.supervisor import Supervisor

_RULES = Rules()
_LISTEN = "Where to listen, an endpoint: tcp:3000:interface=127.0.0.1, unix:watchdog.sock, systemd:domain=INET:index=0"
_ON_EXPIRY = (
    "What to do about a client that is silent, besides closing its connection: log, kill the process that reports, "
    "restart it, or exec:COMMAND"
)
_ANY_BYTES = "Take whatever a client sends for a sign of life, such as the short texts of other deployments"
_OLD_WORDS = "Have the lines of the lab's old watchdog in the log, too"


class Options(DaemonOptions):
    """The command line of ``twistd netlab-watchdog``."""

    daemon = "netlab-watchdog"
    cannot_start = 2
    synopsis = "[options]"
    longdesc = (
        "A watchdog on a TCP port: who asks it to be watched must give a sign of life before each deadline. Only a "
        "process of the same user on this machine, proven by the kernel to be the one connected, is ever ended. "
        "Try it with: netlab ping --watchdog, or netlab watch -- COMMAND"
    )

    optParameters = [
        option("listen", "tcp:3000:interface=127.0.0.1", _LISTEN),
        option("timeout", _RULES.timeout, "Seconds from a sign of life to the deadline", seconds),
        option("on-expiry", Policy(Kind.LOG), _ON_EXPIRY, read_policy),
        option("grace", 5.0, "Seconds from SIGTERM, which asks, to SIGKILL, which does not", seconds),
        *CONNECTION_PARAMETERS,
    ]
    optFlags = [["any-bytes", None, _ANY_BYTES], ["lab", None, _OLD_WORDS]]


def makeService(options: Options, reactor: Any = None) -> IService:
    """The daemon as a service.

    :param reactor: for tests; `None` for the one twistd runs.
    :raises CannotStart: ``--listen`` is no endpoint.
    """
    if reactor is None:
        from twisted.internet import reactor
    use_monotonic_clock(reactor)
    rules = Rules(
        max_connections=options["max-connections"],
        timeout=options["timeout"],
        any_bytes=bool(options["any-bytes"]),
        old_words=bool(options["lab"]),
    )
    factory = WatchdogFactory(reactor, rules, _action(options["on-expiry"], Supervisor(reactor), options["grace"]))
    service = daemon_service(options, factory, reactor)
    Waking(reactor, factory).setServiceParent(service)
    return service


def _action(policy: Policy, supervisor: Supervisor, grace: float) -> Action:
    """What ``--on-expiry`` asks for."""
    match policy.kind:
        case Kind.LOG:
            return LogAction()
        case Kind.KILL:
            return KillAction(supervisor, grace)
        case Kind.RESTART:
            return RestartAction(supervisor, grace)
        case Kind.EXEC:
            return CommandAction(supervisor, grace, policy.command)


class Waking(Service):
    """Blames nobody for the time in which the daemon itself was stopped (SIGSTOP, Ctrl+Z) and could hear nothing."""

    log = Logger(namespace="netlab.watchdog")

    def __init__(self, reactor: Any, factory: WatchdogFactory) -> None:
        self.setName("waking")
        self._reactor = reactor
        self._factory = factory

    def startService(self) -> None:
        """From now on, be told when we go on."""
        super().startService()
        if self._factory.rules.old_words:
            for line in ("Hello im watchdog", "server is binding"):
                self.log.info(line)
        self._before = signal.signal(signal.SIGCONT, lambda *_: self._reactor.callFromThread(self._go_on))

    def stopService(self) -> None:
        """Be told no more."""
        super().stopService()
        signal.signal(signal.SIGCONT, self._before)

    def _go_on(self) -> None:
        self.log.info("This watchdog was stopped for a while: everybody has a whole time-out anew")
        self._factory.excuse_all()
