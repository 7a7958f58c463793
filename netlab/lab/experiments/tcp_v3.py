"""Variant V3: an answer a thousandfold, most of it unread (protocols.md §2)."""

from netlab.lab.claims import tcp, upper
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.closing import RESET_UNREAD
from netlab.trace.words.sentence import said

_TIMES = 1_000


def plan(draw: Draw) -> Plan:
    """13 bytes, 13,000 bytes back, two reads of 1,024."""
    port = draw.port("server", 5050)
    message = draw.message("message", "Hello, World!")
    return Plan(
        roles={port: "server"},
        story=(
            said("The server answers everything a thousand times over. The client reads twice, and closes."),
            said("A kernel that throws away bytes nobody has read says so: RST instead of FIN."),
        ),
        steps=(
            Serve("server", "netlab-upper", ("--listen", f"tcp:{port}:interface=127.0.0.1", "--variant", "v3")),
            Run(
                "client",
                ("netlab", "upper", "--connect", f"127.0.0.1:{port}", "--variant", "v3", "--message", message),
            ),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            tcp.handshake(port),
            upper.spoken(port, message, _TIMES),
            upper.amount(port, len(message) * _TIMES),
            tcp.ends(port, RESET_UNREAD, tcp.CLIENT, said("The client closes with data unread: a RST, and no FIN.")),
        ),
    )


EXPERIMENT = Experiment("tcp-v3", said("V3: data that nobody reads"), plan)
