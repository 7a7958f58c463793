"""What an experiment runs, as data: nothing here starts anything (`netlab.lab.stage` does)."""

from collections.abc import Iterable, Mapping
from shlex import join

from attrs import field, frozen

from netlab.lab.errors import CannotRun

#: Where `Cut` cuts: the address of a machine at the far end of a cable, and our own end of it.
FAR, NEAR = "10.77.0.3", "10.77.0.1"


@frozen
class Serve:
    """Start a daemon under twistd, and wait until it listens."""

    name: str
    daemon: str
    options: tuple[str, ...] = ()


@frozen
class Run:
    """Run a command until it ends, with one of ``codes``; with ``background`` go on at once, and `Join` it later."""

    name: str
    words: tuple[str, ...]
    codes: tuple[int, ...] = (0,)
    background: bool = False


@frozen
class Browse:
    """Look at a page with a headless browser where there is one, otherwise by ``words``."""

    name: str
    url: str
    words: tuple[str, ...]


@frozen
class Join:
    """Wait until what runs in the background has ended."""

    name: str


@frozen
class Stop:
    """Stop a daemon, as SIGTERM does."""

    name: str


@frozen
class Heed:
    """Wait until a daemon has said something with ``text`` in it, ``times`` times."""

    name: str
    text: str
    times: int = 1


@frozen
class Pause:
    """Do nothing for a while."""

    seconds: float = field(converter=float)


@frozen
class Cut:
    """Take a link down at the far machine: it answers no more, and who asks is not told."""


Step = Serve | Run | Browse | Join | Stop | Heed | Pause | Cut


def shell_lines(steps: Iterable[Step]) -> list[str]:
    """The steps as a person types them in one shell, and as the manifest has them.

    What runs in the background is a job, by the number that a shell gives it (bash(1), "Job Control").
    """
    jobs: dict[str, int] = {}
    lines = []
    for step in steps:
        if isinstance(step, Serve) or (isinstance(step, Run) and step.background):
            jobs[step.name] = max(jobs.values(), default=0) + 1
        lines.append(_line(step, jobs))
        if isinstance(step, Stop | Join):
            jobs.pop(step.name, None)
    return lines


def _line(step: Step, jobs: Mapping[str, int]) -> str:
    match step:
        case Serve():
            return join(("twistd", "-n", step.daemon, *step.options)) + " &"
        case Run():
            return join(step.words) + (" &" if step.background else "")
        case Browse():
            return f"chromium --headless {step.url}  # or: {join(step.words)}"
        case Join() | Stop():
            return f"{'wait' if isinstance(step, Join) else 'kill'} %{jobs.get(step.name, step.name)}"
        case Heed():
            return f"# until {step.name} says: {step.text}" + (f" ({step.times} times)" if step.times > 1 else "")
        case Pause():
            return f"sleep {step.seconds:g}"
        case Cut():
            return "ifconfig lo:1 down  # on the far machine"
    raise CannotRun(f"{step!r} is no step")
