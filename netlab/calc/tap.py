"""``twistd netlab-calc``: the options of the calculator daemon and the service they make."""

import random
from typing import Any

from attrs import asdict
from twisted.application.service import IService

from netlab.calc.budget import Budget
from netlab.calc.calculator import CachePolicy, Calculator
from netlab.calc.header import FOREVER, MAX_BODY
from netlab.calc.server import CalcFactory
from netlab.calc.serving_options import SERVING_FLAGS, SERVING_PARAMETERS, limits_of
from netlab.common.daemon import DaemonOptions, option, whole
from netlab.common.serving_options import daemon_service

_BUDGET = Budget()


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
        *SERVING_PARAMETERS,
        option("max-bits", _BUDGET.max_bits, "Bits of an integer, intermediate ones included", whole(1)),
        option("max-nodes", _BUDGET.max_nodes, "Numbers, names, operators and calls in one expression", whole(1)),
        option("max-depth", _BUDGET.max_depth, "Operators and calls within one another", whole(1)),
        option("max-step-text", _BUDGET.max_step_text, _STEP_TEXT, whole(0, MAX_BODY)),
        option("max-work", _BUDGET.max_work, _WORK, whole(1)),
        option("max-opcodes", _BUDGET.max_opcodes, "Opcodes in the pickle of one request", whole(1)),
    ]
    optFlags = [["no-cache", None, "Tell caches to keep no answer"], *SERVING_FLAGS]


def makeService(options: Options, reactor: Any = None) -> IService:
    """The daemon as a service.

    :param reactor: for tests; `None` for the one twistd runs.
    :raises CannotStart: ``--listen`` is no endpoint.
    """
    if reactor is None:
        from twisted.internet import reactor
    budget = Budget(**{name: options[name.replace("_", "-")] for name in asdict(_BUDGET)})
    policy = CachePolicy(
        cache=not options["no-cache"], max_age=FOREVER if options["max-age"] == "inf" else int(options["max-age"])
    )
    calculator = Calculator(random.Random().uniform, budget, policy, options["memory"])
    factory = CalcFactory(calculator, reactor, limits_of(options), request_log=not options["no-request-log"])
    return daemon_service(options, factory, reactor)
