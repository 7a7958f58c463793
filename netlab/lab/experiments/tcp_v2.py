"""Variant V2: the server reads five bytes at a time, and data meets a closed socket (protocols.md §2)."""

from netlab.lab.claims import tcp, upper
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.closing import RESET_AFTER_CLOSE
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """20 bytes; 5 come back and are read, 15 come back too late."""
    port = draw.port("server", 5050)
    message = draw.message("message", "World! Hello, World!")
    client = ("netlab", "upper", "--connect", f"127.0.0.1:{port}", "--variant", "v2", "--message", message)
    return Plan(
        roles={port: "server"},
        story=(
            said("The server reads five bytes at a time and answers each piece. The client reads once, and closes."),
            said(
                "The first answer leaves at once. Until that is acknowledged, Nagle's algorithm holds the others back."
            ),
            said("The client's FIN brings the acknowledgment; they leave together, and meet a socket that is closed."),
        ),
        steps=(
            Serve("server", "netlab-upper", ("--listen", f"tcp:{port}:interface=127.0.0.1", "--variant", "v2")),
            Run("client", (*client, "--late-acks", "--wait", "0.012")),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            tcp.handshake(port),
            upper.spoken(port, message),
            upper.pieces(port, tcp.SERVER, (5, len(message) - 5)),
            tcp.ends(
                port,
                RESET_AFTER_CLOSE,
                tcp.CLIENT,
                said("The client has closed when data comes, and its kernel answers with RST."),
            ),
        ),
    )


EXPERIMENT = Experiment("tcp-v2", said("V2: data for a closed socket"), plan)
