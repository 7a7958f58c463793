"""What ``--on-expiry`` asks for, and how often something may be started again."""

import shlex
from enum import Enum

from attrs import frozen


class Kind(Enum):
    """What is done when a deadline has come; the connection is closed in any case."""

    LOG = "log"
    KILL = "kill"
    RESTART = "restart"
    EXEC = "exec"


@frozen
class Policy:
    """One answer to silence; ``command`` is the words of `Kind.EXEC`."""

    kind: Kind
    command: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"exec:{shlex.join(self.command)}" if self.kind is Kind.EXEC else self.kind.value


def read_policy(text: str) -> Policy:
    """Read ``log``, ``kill``, ``restart`` or ``exec:COMMAND``, whose words are split as a shell would, and no more.

    :raises ValueError: it is none of them.
    """
    if text.startswith("exec:"):
        command = tuple(shlex.split(text.removeprefix("exec:")))
        if not command:
            raise ValueError("after exec: belongs a command and its arguments")
        return Policy(Kind.EXEC, command)
    if text in {Kind.LOG.value, Kind.KILL.value, Kind.RESTART.value}:
        return Policy(Kind(text))
    raise ValueError("log, kill, restart or exec:COMMAND belongs here")


class Backoff:
    """How long to wait before a program is started again, so that one that cannot live does not take the machine.

    The first time it is at once; each time that comes within ``memory`` seconds of the one before, the wait doubles
    from one second up to ``most``.
    """

    def __init__(self, memory: float = 60.0, most: float = 30.0) -> None:
        self._memory = memory
        self._most = most
        self._times: dict[tuple[bytes, ...], tuple[float, float]] = {}

    def wait(self, words: tuple[bytes, ...], now: float) -> float:
        """Seconds to wait before ``words`` are run again; ask once for each time."""
        self._times = {key: told for key, told in self._times.items() if now - told[0] < self._memory}
        _, before = self._times.get(words, (0.0, None))
        waits = 0.0 if before is None else min(self._most, max(1.0, before * 2))
        self._times[words] = (now + waits, waits)
        return waits
