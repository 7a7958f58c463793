"""Echo requests on loopback (RFC 792; protocols.md §4)."""

from netlab.lab.claims import echo
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """Some requests, as many replies."""
    count = draw.whole("count", 5, 4, 9)
    size = draw.whole("size", 56, 24, 400)
    interval = draw.seconds("interval", 1.0, 0.2)
    client = ("netlab", "ping", "-c", str(count), "-i", f"{interval:g}", "-s", str(size), "127.0.0.1")
    return Plan(
        roles={},
        story=(said("This machine asks itself for echoes. The kernel answers, without any program."),),
        steps=(Run("ping", client),),
        claims=(echo.pairs(count), echo.identifiers(), echo.sequences(count), echo.length(size)),
        icmp=True,
    )


EXPERIMENT = Experiment("ping", said("Ping"), plan)
