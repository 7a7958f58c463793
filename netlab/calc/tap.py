"""``twistd netlab-calc``: the options of the calculator daemon and the service they make."""

import random
from typing import Any

from attrs import asdict
from twisted.application.service import IService, MultiService

from netlab.calc.budget import Budget
from netlab.calc.calculator import CachePolicy, Calculator
from netlab.calc.header import FOREVER, MAX_BODY
from netlab.calc.limits import Limits
from netlab.calc.server import CalcFactory
from netlab.common.daemon import (
    CleanExit,
    DaemonOptions,
    JsonLog,
    ListeningService,
    allow_files,
    option,
    seconds,
    whole,
)

_BUDGET = Budget()
_LIMITS = Limits()


def max_age(text: str) -> str:
    """A coercion: seconds up to 65,534, or ``inf``."""
    if text == "inf":
        return text
    try:
        return str(whole(0, FOREVER - 1)(text))
    except ValueError as error:
        raise ValueError(f"inf, or {error}") from None


_LISTEN = (
    "Where to listen, an endpoint: tcp:9999 (all interfaces), unix:calc.sock, "
    "ssl:9999:privateKey=key.pem:certKey=cert.pem, systemd:domain=INET:index=0"
)
_MEMORY = "Bytes of answers to remember, so that a repeated request is not computed again; 0 to compute every time"
_IDLE = "Seconds after which a client that asks nothing, or reads no answer, is closed"
_PENDING = "Answers that may wait for a client that does not read before its requests are no longer read"
_STEP_TEXT = "Characters of all steps of an answer; with more, it comes without steps"
_WORK = "What big integers may cost in one request, in products of two 30-bit digits (about a nanosecond each)"


class Options(DaemonOptions):
    """The command line of ``twistd netlab-calc``."""

    daemon = "netlab-calc"
    synopsis = "[options]"
    longdesc = (
        "A calculator on a TCP port: it answers expressions with their value and every step on the way, over the "
        "protocol of the networks labs. Ask it with: netlab calc 'max(2, 3) + 3'"
    )

    optParameters = [
        option("listen", "tcp:9999:interface=127.0.0.1", _LISTEN),
        option("max-age", "inf", "How many seconds caches may keep an answer, 0 to 65,534, or inf", max_age),
        option("memory", 16 << 20, _MEMORY, whole(0)),
        option("idle-timeout", _LIMITS.idle_timeout, _IDLE, seconds),
        option("packet-timeout", _LIMITS.packet_timeout, "Seconds in which a packet begun must be finished", seconds),
        option("max-connections", _LIMITS.max_connections, "Clients at once; more are closed as they come", whole(1)),
        option("max-pending", _LIMITS.max_pending, _PENDING, whole(1)),
        option("log-json", None, "Write every event of the log to this file as well, one JSON object a line"),
        option("max-bits", _BUDGET.max_bits, "Bits of an integer, intermediate ones included", whole(1)),
        option("max-nodes", _BUDGET.max_nodes, "Numbers, names, operators and calls in one expression", whole(1)),
        option("max-depth", _BUDGET.max_depth, "Operators and calls within one another", whole(1)),
        option("max-step-text", _BUDGET.max_step_text, _STEP_TEXT, whole(0, MAX_BODY)),
        option("max-work", _BUDGET.max_work, _WORK, whole(1)),
        option("max-opcodes", _BUDGET.max_opcodes, "Opcodes in the pickle of one request", whole(1)),
    ]
    optFlags = [
        ["no-cache", None, "Tell caches to keep no answer"],
        ["no-request-log", None, "Leave the lines for each request and response out of the log"],
    ]


def makeService(options: Options, reactor: Any = None) -> IService:
    """The daemon as a service.

    :param reactor: for tests; `None` for the one twistd runs.
    :raises CannotStart: ``--listen`` is no endpoint.
    """
    if reactor is None:
        from twisted.internet import reactor
    budget = Budget(**{name: options[name.replace("_", "-")] for name in asdict(_BUDGET)})
    limits = Limits(**{name: options[name.replace("_", "-")] for name in asdict(_LIMITS) if name != "stop_timeout"})
    policy = CachePolicy(
        cache=not options["no-cache"], max_age=FOREVER if options["max-age"] == "inf" else int(options["max-age"])
    )
    calculator = Calculator(random.Random().uniform, budget, policy, options["memory"])
    factory = CalcFactory(calculator, reactor, limits, request_log=not options["no-request-log"])
    allow_files(options["max-connections"])
    service = MultiService()
    if options["log-json"]:
        JsonLog(options["log-json"]).setServiceParent(service)
    CleanExit(reactor).setServiceParent(service)
    endpoint = options.endpoint("listen", reactor)
    ListeningService(options.daemon, options["listen"], endpoint, factory, factory.stop).setServiceParent(service)
    return service
