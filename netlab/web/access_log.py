"""Lines of the access log: what was asked and answered, and how each connection began and ended.

Two forms: the combined format of Apache and nginx, in which lines about connections begin with a ``#`` as comments do;
and JSON, an object a line, ``event`` being ``opened``, ``request`` or ``closed``.
"""

import json
import re
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import NamedTuple

from werkzeug.http import http_date

#: Characters of a line besides what the client said.
_BESIDES = 80

_UNSAFE = re.compile(r"[^ !#-\[\]-~]")


class Asked(NamedTuple):
    """What was asked and answered, whoever asked and when: the request line and ``size``, the bytes of the body."""

    request: bytes
    status: int
    size: int
    referer: bytes | None = None
    agent: bytes | None = None


class Exchange(NamedTuple):
    """A request and its answer; ``when`` in unix seconds."""

    peer: str
    when: float
    asked: Asked

    @property
    def weight(self) -> int:
        """About how long its line is."""
        asked = self.asked
        return len(asked.request) + len(asked.referer or b"") + len(asked.agent or b"") + _BESIDES


class Form(ABC):
    """How a line is written; each method gives one line without its end. Times are unix seconds."""

    @abstractmethod
    def opened(self, peer: str, when: float) -> str:
        """A connection is there."""

    @abstractmethod
    def exchange(self, it: Exchange) -> str:
        """A request was answered."""

    @abstractmethod
    def closed(self, peer: str, when: float, requests: int, why: str) -> str:
        """A connection is gone, after so many requests."""


class Combined(Form):
    """For programs that read logs of web servers, and for people."""

    def opened(self, peer: str, when: float) -> str:
        """A comment."""
        return f"# [{_clf_date(int(when))}] {peer} opened"

    def exchange(self, it: Exchange) -> str:
        """Host, two names that are not known, time, request, status, bytes, referer, agent."""
        return f"{_host(it.peer)} - - [{_clf_date(int(it.when))}] {_end(it.asked)}"

    def closed(self, peer: str, when: float, requests: int, why: str) -> str:
        """A comment."""
        return f"# [{_clf_date(int(when))}] {peer} closed after {count_text(requests)}: {why}"


class JsonLines(Form):
    """For programs."""

    def opened(self, peer: str, when: float) -> str:
        """``peer``."""
        return _json("opened", when, peer)

    def exchange(self, it: Exchange) -> str:
        """``peer``, ``request``, ``status``, ``bytes``; ``referer`` and ``agent``, null where the client said none."""
        asked = it.asked
        fields = {"request": _text(asked.request), "status": asked.status, "bytes": asked.size}
        return _json("request", it.when, it.peer, **fields, referer=_text(asked.referer), agent=_text(asked.agent))

    def closed(self, peer: str, when: float, requests: int, why: str) -> str:
        """``peer``, ``requests``, ``why``."""
        return _json("closed", when, peer, requests=requests, why=why)


def count_text(requests: int) -> str:
    """``1 request``, ``2 requests``."""
    return f"{requests} request" + ("" if requests == 1 else "s")


def _json(event: str, when: float, peer: str, **more: object) -> str:
    return json.dumps({"event": event, "time": round(when, 6), "peer": peer, **more})


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def _quoted(value: bytes | None) -> str:
    """In quotes, with every byte escaped that could end them or the line; ``"-"`` for none."""
    if not value:
        return '"-"'
    return '"' + _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}", value.decode("latin-1")) + '"'


# Pages are asked for again and again, so the parts of their lines are remembered.


@lru_cache(256)
def _end(asked: Asked) -> str:
    """A line from the request on."""
    return f"{_quoted(asked.request)} {asked.status} {asked.size} {_quoted(asked.referer)} {_quoted(asked.agent)}"


@lru_cache(1_024)
def _host(peer: str) -> str:
    """An address without its port."""
    return peer.rpartition(":")[0].strip("[]") or peer


@lru_cache(16)
def _clf_date(when: int) -> str:
    """``21/Nov/2026:14:00:00 +0000``, out of ``Sat, 21 Nov 2026 14:00:00 GMT``."""
    date = http_date(when)
    return f"{date[5:7]}/{date[8:11]}/{date[12:16]}:{date[17:25]} +0000"
