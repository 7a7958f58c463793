"""An image is bytes, and not text (protocols.md §3)."""

from netlab.lab.claims import tcp, web
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """One image."""
    port = draw.port("server", 8080)
    mark = draw.message("mark", "networks lab")
    client = ("netlab", "web", "--connect", f"127.0.0.1:{port}", "/images/noise.png", "-H", f"X-Lab: {mark}")
    return Plan(
        roles={port: "server"},
        story=(said("A client asks for an image. Its bytes are not text, and none of them may change on the way."),),
        steps=(
            Serve("server", "netlab-web", ("--listen", f"tcp:{port}:interface=127.0.0.1", "--lab")),
            Run("client", client),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            web.marked(port, mark),
            web.answered(port, 0, "/images/noise.png", 200),
            web.same_bytes(port, ("/images/noise.png",)),
        ),
    )


EXPERIMENT = Experiment("web-image", said("An image, byte for byte"), plan)
