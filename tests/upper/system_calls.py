"""What a program asks of the kernel about one socket, as strace sees it."""

from __future__ import annotations

import re
import time
from pathlib import Path

from attrs import frozen

from tests.parts import require_program

PATIENCE = 30.0

#: Time, name, descriptor, the rest of the arguments, result.
_CALL = re.compile(r"^(?:\d+ +)?(\d+\.\d+) (\w+)\((\d+)(?:, )?(.*)\) += (-?\d+)", re.MULTILINE)
_SIZE = re.compile(r'(?:"(?:[^"\\]|\\.)*"(?:\.\.\.)?|0x[0-9a-f]+), (\d+)')


@frozen
class Call:
    """A system call: when it was made (unix seconds), its name, the size it was given if it has one, its result."""

    when: float
    name: str
    size: int | None
    result: int
    arguments: str


def strace(output: Path) -> list[str]:
    """The command that has the one after it traced in its own process, and the trace written to ``output``."""
    names = "trace=accept4,connect,recvfrom,recvmsg,read,sendto,sendmsg,write,shutdown,close,setsockopt"
    return [require_program("strace"), "-D", "-ttt", "-e", names, "-e", "signal=none", "-o", str(output)]


def calls_of(output: Path, begin: str) -> list[Call]:
    """What was asked about the socket of the last ``begin`` (``accept4``, ``connect``), once the program has ended."""
    end = time.monotonic() + PATIENCE
    while "+++ exited with" not in output.read_text():
        if time.monotonic() > end:
            raise AssertionError("the trace has no end")
        time.sleep(0.01)
    found = [match.groups() for match in _CALL.finditer(output.read_text())]
    first = max(number for number, call in enumerate(found) if call[1] == begin and not call[4].startswith("-"))
    # accept4's result is the new descriptor; connect is given it.
    descriptor = found[first][4] if begin == "accept4" else found[first][2]
    calls = []
    for when, name, given, arguments, result in found[first + 1 :]:
        if given == descriptor:
            size = _SIZE.match(arguments)
            calls.append(Call(float(when), name, int(size[1]) if size else None, int(result), arguments))
            if name == "close":
                break
    return calls
