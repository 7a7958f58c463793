"""Processes as Linux has them: read from ``/proc``, and signalled so that nobody else can be hit.

A signal goes through a pidfd (pidfd_open(2)) to one process whose number and time of birth are known; never to a
number alone, never to a group.
"""

import ctypes
import os
import signal
from collections.abc import Collection
from pathlib import Path

from netlab.watchdog.kin import Identity, Process, parse_stat

_PR_SET_CHILD_SUBREAPER = 36
#: Orphans that are looked after at a time.
_MAX_BURIED = 1000


def read_process(pid: int) -> Process | None:
    """The process that has this number now; `None` if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return parse_stat(file.read().decode("utf-8", "replace"))
    except (OSError, ValueError):
        return None


def read_table() -> dict[int, Process]:
    """All processes that there are. It takes some 15 µs each, so a reactor has it done in a thread."""
    found = (read_process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {process.pid: process for process in found if process is not None}


def send(identity: Identity, number: signal.Signals) -> bool:
    """Signal that process and no other; whether it was still there.

    :raises PermissionError: it belongs to somebody else.
    """
    if identity.pid == os.getpid():
        return False
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        process = read_process(identity.pid)
        if process is None or process.identity != identity:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def adopt_orphans() -> None:
    """From now on, what loses its parent among all that this process starts becomes its own child (prctl(2)).

    :raises OSError: the system cannot do that.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this system does not let a process adopt orphans")


def bury_orphans(but: Collection[int]) -> None:
    """Take adopted children that have ended out of the table of processes, ``but`` for those somebody waits for."""
    for _ in range(_MAX_BURIED):
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in but:
            return
        os.waitpid(ended.si_pid, os.WNOHANG)


def holders(inode: int) -> set[int]:
    """Which processes of this user have the socket of that number open. It reads all their descriptors."""
    user, wanted = os.geteuid(), f"socket:[{inode}]"
    return {
        int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit() and _has(folder, user, wanted)
    }


def _has(folder: Path, user: int, wanted: str) -> bool:
    try:
        if folder.stat().st_uid != user:
            return False
        for name in os.listdir(folder / "fd"):
            if _link(f"{folder}/fd/{name}") == wanted:
                return True
    except OSError:
        return False
    return False


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
