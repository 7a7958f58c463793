"""A calculator asked directly: the same twice, then something else (protocols.md §1)."""

from netlab.lab.claims import calc, tcp
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """Three requests, three conversations."""
    port = draw.port("server", 9999)
    long = draw.filled(
        "long",
        "(sin(max(2, 3 * 4, 5, 6 * ((7 * 8) / 9), 10 / 11)) / 12) * 13",
        "(sin(max(2, # * 4, 5, 6 * ((7 * #) / 9), # / 11)) / 12) * #",
    )
    short = draw.filled("short", "max(2, 3) + 3", "max(#, #) + #")
    asked = (long, long, short)
    ask = ("netlab", "calc", "--connect", f"127.0.0.1:{port}")
    return Plan(
        roles={port: "server"},
        story=(
            said("The client asks the calculator the same twice, and then something else, with nothing in between."),
            said("The server computes each time, and each time the lengths are the same."),
        ),
        steps=(
            Serve("server", "netlab-calc", ("--listen", f"tcp:{port}:interface=127.0.0.1")),
            *(Run(f"client-{number}", (*ask, text)) for number, text in enumerate(asked, 1)),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            calc.separate(port, 3),
            calc.asked(port, asked),
            calc.sizes(port, asked),
            tcp.handshake(port),
            tcp.fin_sums(port),
        ),
    )


EXPERIMENT = Experiment("calc-direct", said("The calculator, asked directly"), plan)
