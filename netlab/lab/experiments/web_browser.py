"""A page with twelve images, as a browser fetches it (protocols.md §3)."""

from netlab.lab.claims import tcp, web
from netlab.lab.claims.sample import IMAGES
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Browse, Serve, Stop
from netlab.trace.words.sentence import said

#: What browsers open at once to one server.
_CONNECTIONS = 6


def plan(draw: Draw) -> Plan:
    """13 requests over up to six connections."""
    port = draw.port("server", 8080)
    mark = draw.whole("mark", 1, 2, 999_999)
    page = f"/gallery.html?lab={mark}"
    targets = (page, *IMAGES)
    client = ("netlab", "web", "--connect", f"127.0.0.1:{port}", "--connections", str(_CONNECTIONS), *targets)
    return Plan(
        roles={port: "server"},
        story=(
            said("A browser asks for a page, finds twelve images in it, and fetches them over several connections."),
            said("Where there is no browser, a client with six connections does the same."),
        ),
        steps=(
            Serve("server", "netlab-web", ("--listen", f"tcp:{port}:interface=127.0.0.1", "--lab")),
            Browse("browser", f"http://127.0.0.1:{port}{page}", client),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            web.requests(port, targets),
            web.same_bytes(port, targets),
        ),
    )


EXPERIMENT = Experiment("web-browser", said("A page with twelve images"), plan)
