"""``netlab lab new``: a file to begin an experiment with."""

import re
from pathlib import Path

from netlab.lab.errors import NoExperiment

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_TEXT = '''"""{name}: say here what happens, and what it shows."""

from netlab.lab.claims import calc, tcp
from netlab.lab.draw import Draw
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Run, Serve, Stop
from netlab.trace.words.sentence import said


def plan(draw: Draw) -> Plan:
    """What to run, and what must be seen. Whatever a student's ID is to change, is drawn."""
    port = draw.port("server", 9999)
    text = draw.filled("expression", "1 + 2", "# + #")
    return Plan(
        roles={{port: "server"}},
        story=(said("A client asks a calculator for a sum."),),
        steps=(
            Serve("server", "netlab-calc", ("--listen", f"tcp:{{port}}:interface=127.0.0.1")),
            Run("client", ("netlab", "calc", "--connect", f"127.0.0.1:{{port}}", text)),
            Stop("server"),
        ),
        claims=(
            tcp.connected(port),
            tcp.handshake(port),
            calc.asked(port, (text,)),
            tcp.closes_first(port, tcp.CLIENT),
        ),
    )


EXPERIMENT = Experiment("{name}", said("An experiment of my own"), plan)
'''


def write_new(name: str, folder: Path) -> Path:
    """Write the file; where it is.

    :raises NoExperiment: the name is none, the file is there already, or it cannot be written.
    """
    if not _NAME.fullmatch(name) or len(name) > 60:
        raise NoExperiment("a name has small letters and digits, with - between its words: my-experiment")
    path = folder / f"{name.replace('-', '_')}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEXT.format(name=name))
    except FileExistsError:
        raise NoExperiment(f"{path} is there already") from None
    except OSError as error:
        raise NoExperiment(f"cannot write {path}: {error.strerror}") from None
    return path
