"""Whom a watchdog may end: rules that take what the system says, and never what a network said."""

from collections.abc import Iterable

from netlab.watchdog.errors import NotProven
from netlab.watchdog.kin import Process, Table, eldest

#: The process that everything else ends with.
_INIT = 1


def holder(table: Table, pids: Iterable[int], watchdog: int) -> Process:
    """The process at the other end of a connection, out of ``pids``: all that have its socket open.

    Where a process and what it started have it, it is the process.

    :param watchdog: the number of this process itself.
    :raises NotProven: there is none, no certain one, or one that nobody may end.
    """
    pids = set(pids)
    if watchdog in pids:
        raise NotProven("the watchdog itself is at the other end")
    process = eldest(table, pids)
    if process is None:
        raise NotProven(
            f"processes {', '.join(map(str, sorted(pids)))} share the connection, and none of them started the others"
            if pids
            else "no process of the watchdog's user has the other end open"
        )
    return endable(process, watchdog)


def endable(process: Process, watchdog: int) -> Process:
    """``process`` itself, if it may be ended.

    :raises NotProven: it is the watchdog, init, or the kernel.
    """
    if process.pid == watchdog:
        raise NotProven("the watchdog itself is at the other end")
    if process.pid <= _INIT:
        raise NotProven("process 1 is at the other end, and the whole system would end with it")
    if not process.lives:
        raise NotProven(f"process {process.pid} has ended already")
    return process


def same_user(uid: int, watchdog: int) -> None:
    """Check whose socket it is.

    :param watchdog: the user of this process.
    :raises NotProven: they are two.
    """
    if uid != watchdog:
        raise NotProven(f"the other end belongs to user {uid}, and this watchdog runs as user {watchdog}")
