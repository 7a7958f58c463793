"""What is not there (protocols.md §3)."""

from netlab.lab.claims import tcp, web
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """One request for nothing."""
    port = draw.port("server", 8080)
    mark = draw.message("mark", "networks lab")
    client = ("netlab", "web", "--connect", f"127.0.0.1:{port}", "/missing.html", "-H", f"X-Lab: {mark}")
    return Plan(
        roles={port: "server"},
        story=(said("A client asks for what is not there. The answer has 45 bytes, and then the server closes."),),
        steps=(
            Serve("server", "netlab-web", ("--listen", f"tcp:{port}:interface=127.0.0.1", "--lab")),
            Run("client", client),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            web.marked(port, mark),
            web.answered(port, 0, "/missing.html", 404, 45),
            web.closed_after(port),
        ),
    )


EXPERIMENT = Experiment("web-missing", said("A page that is missing"), plan)
