"""How long an answer may be used: max-age on both sides, reload, expiry, stale-if-error (protocols.md §1, RFC 5861)."""

from netlab.lab.claim import Claim
from netlab.lab.claims import calc, freshness, tcp
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Pause, Run, Serve, Stop
from netlab.trace.words.sentence import Plain, said

#: Seconds that a client takes at most, in its own command.
_CLIENT_LIMIT = 1
#: Seconds beyond its time in which the proxy uses an answer if it reaches no server.
_STALE = 60


def plan(draw: Draw) -> Plan:
    """Six requests for the same, each decided by another sum."""
    server, proxy = draw.port("server", 9999), draw.port("proxy", 9998)
    kept = draw.whole("max-age", 5, 4, 7) if not draw.whose.quick else draw.whole("max-age", 4, 4, 4)
    text = draw.filled("expression", "max(2, 3) + 3", "max(#, #) + #")
    ask = ("netlab", "calc", "--connect", f"127.0.0.1:{proxy}")
    upstream = ("--upstream", f"tcp:127.0.0.1:{server}", "--stale-if-error", str(_STALE))
    expired = Pause(kept + 0.1)
    return Plan(
        roles={proxy: "proxy", server: "server"},
        story=(
            said(
                "The server lets its answers be kept for {seconds} seconds. Is a stored one used? A sum decides.",
                seconds=kept,
            ),
            said("age = now − time stamp; what remains is max-age − age, for the server and for the client."),
        ),
        steps=(
            Serve(
                "server",
                "netlab-calc",
                ("--listen", f"tcp:{server}:interface=127.0.0.1", "--max-age", str(kept)),
            ),
            Serve("proxy", "netlab-proxy", ("--listen", f"tcp:{proxy}:interface=127.0.0.1", *upstream)),
            Run("first", (*ask, text)),
            Run("fresh", (*ask, text)),
            Run("reload", (*ask, "--max-age", "0", text)),
            Pause(_CLIENT_LIMIT + 0.1),
            Run("client-limit", (*ask, "--max-age", str(_CLIENT_LIMIT), text)),
            expired,
            Run("expired", (*ask, text)),
            Stop("server"),
            expired,
            Run("stale", (*ask, text)),
            Stop("proxy"),
        ),
        claims=_claims(proxy, kept, text),
    )


def _claims(proxy: int, kept: int, text: str) -> tuple[Claim, ...]:
    """Each decision, with its sum."""
    return (
        tcp.connected(proxy),
        calc.asked(proxy, (text,) * 6),
        freshness.limits(
            proxy, kept, said("The server's answers may be kept for {seconds} seconds.", seconds=Plain(kept))
        ),
        freshness.decision(proxy, 0, freshness.FIRST, said("Request 1 is passed on: nothing is stored.")),
        freshness.decision(proxy, 1, freshness.FRESH, said("Request 2 is a hit: both times remain.")),
        freshness.decision(proxy, 2, freshness.RELOAD, said("Request 3 asks to reload (max-age 0), and is passed on.")),
        freshness.decision(
            proxy, 3, freshness.CLIENT_LIMIT, said("Request 4 accepts no answer as old as the stored one.")
        ),
        freshness.decision(proxy, 4, freshness.EXPIRED, said("Request 5 is passed on: the server's time is over.")),
        freshness.decision(
            proxy,
            5,
            freshness.STALE,
            said("Request 6 gets the stale answer, for the server is gone (stale-if-error)."),
            _STALE,
        ),
    )


EXPERIMENT = Experiment("calc-freshness", said("How long an answer is fresh: sums that decide"), plan)
