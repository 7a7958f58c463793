"""A ping that reports to a watchdog, with a target that answers (protocols.md §4)."""

from netlab.lab.claims import echo, tcp, watchdog
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """A sign of life for each reply."""
    port = draw.port("watchdog", 3000)
    count = draw.whole("count", 5, 4, 8)
    interval = draw.seconds("interval", 1.0, 0.2)
    client = ("netlab", "ping", "--watchdog", "--watchdog-port", str(port), "-c", str(count), "-i", f"{interval:g}")
    return Plan(
        roles={port: "watchdog"},
        story=(
            said(
                "A ping starts a watchdog, and tells it of every reply. As long as replies come, nothing else happens."
            ),
        ),
        steps=(Run("ping", (*client, "127.0.0.1")),),
        claims=(
            tcp.connected(port),
            echo.pairs(count),
            watchdog.started(port),
            watchdog.reset_each(port),
            tcp.closes_first(port, tcp.CLIENT),
        ),
        icmp=True,
    )


EXPERIMENT = Experiment("watchdog", said("A ping and its watchdog"), plan)
