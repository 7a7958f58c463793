"""The same through the caching proxy: miss, hit, miss (protocols.md §1)."""

from netlab.lab.claims import calc, tcp
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.passage import HIT, MISS
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """Three requests to the proxy, two of them to the server."""
    server, proxy = draw.port("server", 9999), draw.port("proxy", 9998)
    first = draw.filled("first", "max(2, 3) + 3", "max(#, #) + #")
    other = draw.filled("other", "sin(2) * 3", "sin(#) * #")
    asked = (first, first, other)
    ask = ("netlab", "calc", "--connect", f"127.0.0.1:{proxy}")
    upstream = ("--upstream", f"tcp:127.0.0.1:{server}")
    return Plan(
        roles={proxy: "proxy", server: "server"},
        story=(
            said("A caching proxy stands between the client and the calculator. The client asks the same twice."),
            said("What was computed once is not computed again: the second request never reaches the server."),
        ),
        steps=(
            Serve("server", "netlab-calc", ("--listen", f"tcp:{server}:interface=127.0.0.1")),
            Serve("proxy", "netlab-proxy", ("--listen", f"tcp:{proxy}:interface=127.0.0.1", *upstream)),
            *(Run(f"client-{number}", (*ask, text)) for number, text in enumerate(asked, 1)),
            Stop("proxy"),
            Stop("server"),
        ),
        claims=(
            tcp.connected(proxy),
            calc.asked(proxy, asked),
            calc.sizes(proxy, asked),
            calc.verdicts(proxy, (MISS, HIT, MISS)),
            calc.upstream(server, 2),
            calc.quiet_hit(proxy, server, 1),
        ),
    )


EXPERIMENT = Experiment("calc-proxy", said("Through the caching proxy: miss, hit, miss"), plan)
