"""The session server: two messages, and the server closes first (protocols.md §2)."""

from netlab.lab.claims import tcp, upper
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """Two messages, each answered; 14 packets."""
    port = draw.port("server", 12345)
    first = draw.message("first", "hello from the networks laboratory!")
    second = draw.message("second", "and a second message")
    return Plan(
        roles={port: "server"},
        story=(
            said("A client connects, sends a message and reads the answer, twice. Then the server closes."),
            said("Every packet of that can be counted in advance, and every number in it can be worked out."),
        ),
        steps=(
            Serve("server", "netlab-upper", ("--listen", f"tcp:{port}:interface=127.0.0.1", "--variant", "session")),
            Run(
                "client",
                ("netlab", "upper", "--connect", f"127.0.0.1:{port}", "--message", first, "--two", second),
            ),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            tcp.packet_count(port, 2),
            tcp.handshake(port),
            tcp.data_sums(port),
            tcp.fin_sums(port),
            tcp.closes_first(port, tcp.SERVER),
            upper.spoken(port, first + second),
        ),
        # Acknowledge at once, however much goes to and fro: kernels of today would let answers carry it.
        kernel={"ipv4/tcp_pingpong_thresh": "255"},
    )


EXPERIMENT = Experiment("tcp-session", said("A TCP session, packet by packet"), plan)
