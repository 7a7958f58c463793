"""What has moved (protocols.md §3)."""

from netlab.lab.claims import tcp, web
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """Two requests, the second where the first was sent."""
    port = draw.port("server", 8080)
    mark = draw.message("mark", "networks lab")
    client = ("netlab", "web", "--connect", f"127.0.0.1:{port}", "/redirect", "/result.html", "-H", f"X-Lab: {mark}")
    return Plan(
        roles={port: "server"},
        story=(said("A client asks for what has moved. It is told the new place, and asks there."),),
        steps=(
            Serve("server", "netlab-web", ("--listen", f"tcp:{port}:interface=127.0.0.1", "--lab")),
            Run("client", client),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            web.marked(port, mark),
            web.answered(port, 0, "/redirect", 301, 77),
            web.redirected(port, "/result.html"),
            web.answered(port, 1, "/result.html", 200),
            web.same_bytes(port, ("/result.html",)),
        ),
    )


EXPERIMENT = Experiment("web-redirect", said("A redirect, followed"), plan)
