"""``twistd netlab-upper``: the options of the uppercase daemon and the service they make."""

from typing import Any

from attrs import evolve
from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.python.usage import UsageError
from zope.interface import implementer

from netlab.common.daemon import DaemonOptions, option, seconds, whole
from netlab.common.serving_options import CONNECTION_PARAMETERS, daemon_service
from netlab.upper.plain_socket import acknowledge_late
from netlab.upper.server import Limits, UpperFactory
from netlab.upper.variants import MAX_DELAY, MAX_RECEIVE_SIZE, MAX_REPEAT, VARIANTS, Variant

_LIMITS = Limits()
_DEFAULT = "session"

_LISTEN = "Where to listen, an endpoint: tcp:12345 (all interfaces), unix:upper.sock, systemd:domain=INET:index=0"
_VARIANT = f"What to do with each client: {', '.join(VARIANTS)}; the options that follow change parts of it"
_SIZE = f"Bytes to ask the kernel for at a time, up to {MAX_RECEIVE_SIZE:,}; each such piece is a message"
_REPEAT = f"How often each message stands in its answer, up to {MAX_REPEAT:,}"
_DELAY = "Seconds to wait before every recv, the last empty one too; what arrives stays in the kernel's buffer"
_MESSAGES = "Messages after which the server closes; 0 for when the client has closed"
_IDLE = "Seconds after which a client that sends nothing, or reads no answer, is closed"


def variant_name(text: str) -> str:
    """A coercion: the name of a variant."""
    if text not in VARIANTS:
        raise ValueError(f"one of {', '.join(VARIANTS)} belongs here")
    return text


def delay(text: str) -> float:
    """A coercion: seconds, 0 for none."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= MAX_DELAY:
        raise ValueError(f"seconds from 0 to {MAX_DELAY:,.0f} belong here")
    return number


class Options(DaemonOptions):
    """The command line of ``twistd netlab-upper``."""

    daemon = "netlab-upper"
    synopsis = "[options]"
    longdesc = (
        "Servers that answer in upper case, to watch TCP by: each reads, waits, answers and closes as its variant "
        "says, one system call after another. Play a client with: netlab upper. The variants: "
        + "; ".join(map(str, VARIANTS.values()))
    )

    optParameters = [
        option("listen", "tcp:12345:interface=127.0.0.1", _LISTEN),
        option("variant", _DEFAULT, _VARIANT, variant_name),
        option("receive-size", None, _SIZE, whole(1, MAX_RECEIVE_SIZE)),
        option("repeat", None, _REPEAT, whole(1, MAX_REPEAT)),
        option("delay", None, _DELAY, delay),
        option("messages", None, _MESSAGES, whole(0)),
        option("idle-timeout", _LIMITS.idle_timeout, _IDLE, seconds),
        *CONNECTION_PARAMETERS,
    ]
    optFlags = [
        ["no-delay", None, "Turn Nagle's algorithm off, so that small answers don't wait for acknowledgements"],
        ["late-acks", None, "Have the kernel acknowledge as late as it may (TCP_QUICKACK off), so that Nagle's waits"],
        ["no-request-log", None, "Leave the lines for each message and answer out of the log"],
    ]

    def postOptions(self) -> None:
        """Refuse what hides the system calls."""
        kind = self["listen"].partition(":")[0]
        if kind in {"ssl", "tls", "haproxy"}:
            raise UsageError(f"--listen {kind}:... would hide the system calls that this daemon is there to show")

    def endpoint(self, name: str, reactor: Any) -> IStreamServerEndpoint:
        """As every daemon's, and with ``--late-acks`` one whose sockets acknowledge late."""
        endpoint = super().endpoint(name, reactor)
        return LateAcks(endpoint) if self["late-acks"] else endpoint


@implementer(IStreamServerEndpoint)
class LateAcks:
    """An endpoint whose connections acknowledge late from their first byte on: they have that of their listener."""

    def __init__(self, endpoint: IStreamServerEndpoint) -> None:
        self._endpoint = endpoint

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:  # noqa: N803 - Twisted names it
        """Listen; the option is set before anybody can be accepted."""
        listening: Deferred[IListeningPort] = self._endpoint.listen(protocolFactory)
        return listening.addCallback(_late)


def _late(port: Any) -> Any:
    acknowledge_late(port.socket)
    return port


def variant_of(options: Options) -> Variant:
    """The variant that the options name, with the parts that they change."""
    given = {name: options[name.replace("_", "-")] for name in ("receive_size", "repeat", "delay", "messages")}
    changes = {name: value for name, value in given.items() if value is not None}
    if changes.get("messages") == 0:
        changes["messages"] = None
    return evolve(VARIANTS[options["variant"]], **changes)


def makeService(options: Options, reactor: Any = None) -> IService:
    """The daemon as a service.

    :param reactor: for tests; `None` for the one twistd runs.
    :raises CannotStart: ``--listen`` is no endpoint.
    """
    if reactor is None:
        from twisted.internet import reactor
    limits = Limits(max_connections=options["max-connections"], idle_timeout=options["idle-timeout"])
    factory = UpperFactory(
        variant_of(options),
        reactor,
        limits,
        no_delay=bool(options["no-delay"]),
        request_log=not options["no-request-log"],
    )
    return daemon_service(options, factory, reactor)
