"""The target falls silent, and the watchdog ends the ping (protocols.md §4)."""

from netlab.lab.claims import echo, tcp, watchdog
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import FAR, Cut, Join, Pause, Run
from netlab.trace.words.sentence import said

#: Seconds that a busy machine may be late.
_SLACK = 0.6


def plan(draw: Draw) -> Plan:
    """Replies, then none; the time-out after the last message it is over."""
    port = draw.port("watchdog", 3000)
    timeout = draw.seconds("timeout", 10.0, 1.5)
    interval = draw.seconds("interval", 1.0, 0.3)
    client = ("netlab", "ping", "--watchdog", "--watchdog-port", str(port), "--watchdog-timeout", f"{timeout:g}")
    return Plan(
        roles={port: "watchdog"},
        story=(
            said("A ping to another machine reports to a watchdog. Then that machine's link is taken down."),
            said("Requests still leave, and nothing comes back. When its time is over, the watchdog ends the ping."),
        ),
        steps=(
            Run("ping", (*client, "-i", f"{interval:g}", "-W", f"{interval:g}", FAR), codes=(1,), background=True),
            Pause(interval * 4 + 0.5),
            Cut(),
            Join("ping"),
        ),
        claims=(
            tcp.connected(port),
            watchdog.started(port),
            watchdog.reset_each(port),
            echo.unanswered(2),
            watchdog.ended(port, timeout, _SLACK),
            watchdog.in_order("ping", ("start", "last reply", "last request", "deadline", "SIGTERM", "exit")),
            watchdog.ended_with("ping", 1),
        ),
        icmp=True,
        far=True,
    )


EXPERIMENT = Experiment("watchdog-expiry", said("The watchdog ends a ping that nobody answers"), plan)
