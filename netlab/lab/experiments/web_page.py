"""A page of the file server: 200, keep-alive, and a time-out (protocols.md §3)."""

from netlab.lab.claims import tcp, web
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.words.sentence import said

#: Seconds of silence after which the old server closes, and by how much a busy machine may be late.
_IDLE, _SLACK = 1.0, 0.6


def plan(draw: Draw) -> Plan:
    """One request, and then nothing."""
    port = draw.port("server", 8080)
    mark = draw.message("mark", "networks lab")
    client = ("netlab", "web", "--connect", f"127.0.0.1:{port}", "/", "-H", f"X-Lab: {mark}", "--stay", "5")
    return Plan(
        roles={port: "server"},
        story=(
            said("A client asks the file server for its page, and then keeps the connection without a word."),
            said("The server says keep-alive, waits a second, and closes."),
        ),
        steps=(
            Serve("server", "netlab-web", ("--listen", f"tcp:{port}:interface=127.0.0.1", "--lab")),
            Run("client", client),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            tcp.handshake(port),
            web.marked(port, mark),
            web.answered(port, 0, "/", 200),
            web.kept_alive(port),
            tcp.silence(port, _IDLE, _SLACK),
        ),
    )


EXPERIMENT = Experiment("web-page", said("A page, and an idle connection"), plan)
