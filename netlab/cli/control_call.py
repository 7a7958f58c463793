"""One question to a running proxy over its control socket, and words for everything that may come of it."""

import json
import socket
import stat
import time
from pathlib import Path
from typing import Any

from netlab.cli.terminal import Failed

#: Seconds to wait for an answer that the proxy has at hand.
PATIENCE = 10.0

#: Seconds to wait where the proxy goes through its store, which may take two minutes.
LONG_PATIENCE = 130.0

#: Bytes of an answer at most: ten thousand keys with their expressions.
_MAX_ANSWER = 16 << 20


class _NoAnswer(Exception):
    """What came is no answer of a proxy."""


def ask(path: str, patience: float = PATIENCE, **question: Any) -> Any:
    """The result of one question to the proxy whose control socket is at ``path``.

    :param patience: how many seconds its answer may take.
    :raises Failed: there was no answer, or it was an error.
    """
    try:
        answer = _exchange(path, patience, json.dumps(question).encode() + b"\n")
    except (OSError, _NoAnswer) as error:
        raise Failed(f"netlab proxy: {_why(error, path, patience)}") from None
    if "error" in answer:
        raise Failed(f"netlab proxy: {answer['error']}")
    return answer["result"]


def _exchange(path: str, patience: float, question: bytes) -> dict[str, Any]:
    end = time.monotonic() + patience
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(patience)
        control.connect(path)
        control.sendall(question)
        received = bytearray()
        while not received.endswith(b"\n"):
            control.settimeout(max(0.001, end - time.monotonic()))
            data = control.recv(65_536)
            if not data:
                raise _NoAnswer("closed the connection without an answer")
            received += data
            if len(received) > _MAX_ANSWER:
                raise _NoAnswer("answered more than a proxy does")
    return _read(received)


def _read(line: bytearray) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not answer.keys() & {"result", "error"}:
        raise _NoAnswer("answered what a proxy does not")
    return answer


def _why(error: OSError | _NoAnswer, path: str, patience: float) -> str:
    """What happened, and what to do about it."""
    start = f"start one with twistd netlab-proxy --control {path}"
    match error:
        case _NoAnswer():
            return f"what listens at {path} {error}; is it a proxy's control socket, and does that proxy run?"
        case FileNotFoundError():
            return f"no proxy listens at {path}: there is no such file; {start}"
        case ConnectionRefusedError() if not _is_socket(path):
            return f"{path} is no socket; give the path that the proxy was started with"
        case ConnectionRefusedError():
            return f"no proxy listens at {path} any more; {start}"
        case TimeoutError():
            return f"the proxy at {path} did not answer within {patience:g} s; it is halted or busy, and may do it yet"
        case BlockingIOError():
            return f"the proxy at {path} is halted or busy, and as many callers wait as may; try again"
        case PermissionError():
            return f"you may not open {path}; only the proxy's owner may"
        case ConnectionResetError() | BrokenPipeError():
            return f"the proxy at {path} closed the connection before it had answered; its log says why"
        case _:
            return f"the proxy at {path} cannot be asked: {error.strerror or error}"


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:
        return True
