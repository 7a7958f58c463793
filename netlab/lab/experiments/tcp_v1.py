"""Variant V1: a plain exchange (protocols.md §2)."""

from netlab.lab.claims import tcp, upper
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """One message, one answer; the client closes."""
    port = draw.port("server", 5050)
    message = draw.message("message", "Hello, World!")
    return Plan(
        roles={port: "server"},
        story=(said("The client sends one message, reads the answer and closes: the plain case."),),
        steps=(
            Serve("server", "netlab-upper", ("--listen", f"tcp:{port}:interface=127.0.0.1", "--variant", "v1")),
            Run(
                "client",
                ("netlab", "upper", "--connect", f"127.0.0.1:{port}", "--variant", "v1", "--message", message),
            ),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            tcp.handshake(port),
            tcp.data_sums(port),
            tcp.fin_sums(port),
            tcp.closes_first(port, tcp.CLIENT),
            upper.spoken(port, message),
        ),
    )


EXPERIMENT = Experiment("tcp-v1", said("V1: a plain exchange"), plan)
