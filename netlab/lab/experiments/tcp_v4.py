"""Variant V4: a server that waits before every recv (protocols.md §2)."""

from netlab.lab.claims import tcp, upper
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Heed, Run, Serve, Stop
from netlab.trace.words.sentence import said

#: Seconds that a busy machine may be late.
_SLACK = 0.6


def plan(draw: Draw) -> Plan:
    """Four times 130 bytes, one answer of 520 after the delay, the server's FIN after another."""
    port = draw.port("server", 5050)
    delay = draw.seconds("delay", 5.0, 0.8)
    message = draw.message("message", "Hello, World!" * 10)
    options = ("--listen", f"tcp:{port}:interface=127.0.0.1", "--variant", "v4", "--delay", f"{delay:g}", "--late-acks")
    return Plan(
        roles={port: "server"},
        story=(
            said(
                "The server waits before every recv, the last empty one too. The client sends four times, reads once."
            ),
            said(
                "The first message leaves at once; the others wait for its acknowledgment and leave together. In the "
                "server's kernel they become one, and one answer."
            ),
        ),
        steps=(
            Serve("server", "netlab-upper", options),
            Run(
                "client",
                ("netlab", "upper", "--connect", f"127.0.0.1:{port}", "--variant", "v4", "--message", message),
            ),
            Heed("server", "Connection closed"),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            tcp.handshake(port),
            upper.spoken(port, message * 4),
            upper.pieces(port, tcp.CLIENT, (len(message), 3 * len(message))),
            upper.delayed(port, delay, _SLACK),
            upper.late_fin(port, delay, _SLACK),
            tcp.closes_first(port, tcp.CLIENT),
        ),
    )


EXPERIMENT = Experiment("tcp-v4", said("V4: a server that waits"), plan)
