"""Who started whom: what Linux tells of processes in ``/proc/PID/stat`` (proc(5)), read and reasoned about."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from attrs import frozen

#: Fields of ``/proc/PID/stat`` after the name, counted from 0.
_STATE, _PARENT, _SESSION, _BORN = 0, 1, 3, 19


@frozen
class Process:
    """One process at one moment. ``pid`` and ``born`` (clock ticks after the boot) tell it from all others.

    A number alone does not: the next process may get it. ``state`` is a letter, with ``Z`` for one that has ended
    and not been waited for. ``name`` is its own choice, 15 bytes of anything.
    """

    pid: int
    born: int
    parent: int
    session: int
    state: str
    name: str

    @property
    def identity(self) -> "Identity":
        """What stays the same of it."""
        return Identity(self.pid, self.born)

    @property
    def lives(self) -> bool:
        """Whether it can still do anything."""
        return self.state not in "ZXx"


@frozen(order=True)
class Identity:
    """One process for all time (until the next boot)."""

    pid: int
    born: int


#: All processes by their numbers.
Table = Mapping[int, Process]


def parse_stat(text: str) -> Process:
    """Read what ``/proc/PID/stat`` holds; the name in it may hold brackets and blanks.

    :raises ValueError: it is none.
    """
    pid, _, rest = text.partition(" (")
    name, closed, fields = rest.rpartition(") ")
    values = fields.split()
    if not closed or len(values) <= _BORN:
        raise ValueError(f"no /proc/PID/stat: {text[:80]!r}")
    born, parent, session = (int(values[place]) for place in (_BORN, _PARENT, _SESSION))
    return Process(int(pid), born, parent, session, values[_STATE], name)


def family(table: Table, roots: Iterable[Process], spared: Iterable[int] = ()) -> dict[Identity, Process]:
    """The ``roots`` as ``table`` has them and all that they started, which live, less the ``spared`` numbers.

    What descends from a spared process is spared as well. Descent goes by parents; where a root leads a session, all
    of that session is its own, even if the root itself or a parent in between has ended.
    """
    spared = set(spared)
    children: dict[int, list[Process]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process)
    found: dict[Identity, Process] = {}
    waiting = list(_beginnings(table, roots))
    while waiting:
        process = waiting.pop()
        if process.pid not in spared and process.identity not in found:
            found[process.identity] = process
            waiting += children.get(process.pid, ())
    return {identity: process for identity, process in found.items() if process.lives}


def _beginnings(table: Table, roots: Iterable[Process]) -> Iterator[Process]:
    """The roots that are still there, and all of the sessions that roots led or lead.

    The number of a session's leader goes to nobody else as long as anybody is in the session.
    """
    sessions = {}
    for root in roots:
        now = table.get(root.pid)
        if now is not None and now.identity == root.identity:
            yield now
        if root.session == root.pid and (now is None or now.identity == root.identity):
            sessions[root.pid] = root.born
    for process in table.values():
        if process.born >= sessions.get(process.session, process.born + 1):
            yield process


def eldest(table: Table, pids: Iterable[int]) -> Process | None:
    """The one process among ``pids`` that all the others of them descend from; `None` if there is none."""
    holders = {pid for pid in pids if pid in table}
    heads = [pid for pid in holders if not _descends(table, pid, lambda parent: parent in holders)]
    return table[heads[0]] if len(heads) == 1 else None


def _descends(table: Table, pid: int, wanted: Callable[[int], bool]) -> bool:
    """Whether an ancestor of ``pid`` is wanted."""
    seen = {pid}
    while pid in table and table[pid].parent not in seen:
        pid = table[pid].parent
        if wanted(pid):
            return True
        seen.add(pid)
    return False
