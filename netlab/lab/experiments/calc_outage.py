"""The server is gone: what is stored is still served, the rest cannot be (protocols.md §1)."""

from netlab.lab.claims import calc, tcp
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.passage import HIT, MISS, OUTAGE
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """A request; the server stopped; the same; another."""
    server, proxy = draw.port("server", 9999), draw.port("proxy", 9998)
    first = draw.filled("first", "max(2, 3) + 3", "max(#, #) + #")
    other = draw.filled("other", "max(2, 3) + 4", "max(#, #) + # * 2")
    ask = ("netlab", "calc", "--connect", f"127.0.0.1:{proxy}")
    upstream = ("--upstream", f"tcp:127.0.0.1:{server}")
    return Plan(
        roles={proxy: "proxy", server: "server"},
        story=(
            said("A client asks a calculator through a caching proxy. Then the calculator is stopped."),
            said("The same request again is answered from the cache: no packet goes upstream."),
            said("Another request cannot be answered: the proxy's SYN is refused, and it says so with status 500."),
        ),
        steps=(
            Serve("server", "netlab-calc", ("--listen", f"tcp:{server}:interface=127.0.0.1")),
            Serve("proxy", "netlab-proxy", ("--listen", f"tcp:{proxy}:interface=127.0.0.1", *upstream)),
            Run("client-1", (*ask, first)),
            Stop("server"),
            Run("client-2", (*ask, first)),
            Run("client-3", (*ask, other), codes=(1,)),
            Stop("proxy"),
        ),
        claims=(
            tcp.connected(proxy),
            calc.asked(proxy, (first, first, other)),
            calc.verdicts(proxy, (MISS, HIT, OUTAGE)),
            calc.upstream(server, 1),
            calc.quiet_hit(proxy, server, 1),
            calc.refused(server),
            calc.outage(proxy, 2),
        ),
    )


EXPERIMENT = Experiment("calc-outage", said("The calculator is gone, and the cache answers"), plan)
