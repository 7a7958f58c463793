"""What an origin server replies to a request for a file that is there (RFC 9110), given what is known of the file."""

from collections.abc import Mapping
from typing import NamedTuple

from attrs import evolve

from netlab.web.conditions import CONDITIONS, failed_status, range_applies
from netlab.web.errors import RequestRefused
from netlab.web.facts import Facts
from netlab.web.packing import wants_packed
from netlab.web.pages import refusal
from netlab.web.ranges import Slice, Unsatisfiable, content_range, slices_of
from netlab.web.reply import Reply, render
from netlab.web.request import Request

#: Fields that make an answer another than `plain`'s.
SPECIAL = CONDITIONS | {b"range"}

#: RFC 9110 §9 and RFC 5789; a method that is none of these is not known (501), the others are not allowed (405).
_METHODS = frozenset((b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"))
_SERVED = frozenset((b"GET", b"HEAD"))
_ALLOW = ("Allow", "GET, HEAD")


class Representation(NamedTuple):
    """A form of a file that can be sent: its entity tag without quotes, its length, and whether it is packed."""

    tag: str
    size: int
    packed: bool


def refused(fault: RequestRefused) -> Reply:
    """The answer to a request that was refused, and the last on its connection."""
    return refusal(fault.status, str(fault), closes=True)


def check_method(method: bytes) -> None:
    """Let GET and HEAD pass.

    :raises RequestRefused: with 405 or 501.
    """
    if method not in _SERVED:
        name = method.decode("latin-1")[:32]
        if method in _METHODS:
            raise RequestRefused(405, f"{name} is not for files")
        raise RequestRefused(501, f"{name} is no method that is known here")


def not_allowed(fault: RequestRefused, closes: bool) -> Reply:
    """The answer for what `check_method` raised."""
    fields = (_ALLOW,) if fault.status == 405 else ()
    return refusal(fault.status, str(fault), *fields, closes=closes)


def asks_packed(fields: Mapping[bytes, bytes]) -> bool:
    """Whether a request is better answered with packed content: it asks for that, and for no range."""
    return wants_packed(fields.get(b"accept-encoding")) and b"range" not in fields


def representation(facts: Facts, packed: bytes | None = None) -> Representation:
    """The file as it is, or ``packed``."""
    if packed is None:
        return Representation(facts.tag, facts.size, packed=False)
    return Representation(facts.tag + "-gzip", len(packed), packed=True)


def plain(facts: Facts, form: Representation, *, varies: bool) -> Reply:
    """The whole of a file, for whoever asks without conditions."""
    fields = (("Content-Type", facts.kind), *_validators(facts, form, varies), ("Accept-Ranges", "bytes"))
    coding = (("Content-Encoding", "gzip"),) if form.packed else ()
    return Reply(200, (*coding, *fields), (Slice(0, form.size),), form.size, packed=form.packed)


def special(request: Request, facts: Facts, form: Representation, *, varies: bool, boundary: str) -> Reply:
    """The answer to a request with conditions or ranges.

    :param boundary: what separates the parts of a body with several, and does not occur in any.
    """
    status = failed_status(request.fields, facts, form.tag)
    if status == 304:
        return Reply(304, _validators(facts, form, varies), length=None)
    if status is not None:
        return refusal(status, "the file is another by now")
    value = request.fields.get(b"range")
    if value is not None and request.method == b"GET" and range_applies(request.fields, facts, form.tag):
        try:
            slices = slices_of(value, facts.size)
        except Unsatisfiable:
            return refusal(416, f"the file has {facts.size:,} bytes", ("Content-Range", f"bytes */{facts.size}"))
        if slices:
            return _partial(slices, facts, _validators(facts, form, varies), boundary)
    return plain(facts, form, varies=varies)


def without_body(reply: Reply) -> Reply:
    """The answer to HEAD: the same head, and nothing after it."""
    return evolve(reply, body=())


def is_special(fields: Mapping[bytes, bytes]) -> bool:
    """Whether `plain` is not enough."""
    return not SPECIAL.isdisjoint(fields)


def _validators(facts: Facts, form: Representation, varies: bool) -> tuple[tuple[str, str], ...]:
    """What tells a cache which representation this is, and of what it depends on."""
    vary = (("Vary", "Accept-Encoding"),) if varies else ()
    return (("Last-Modified", facts.last_modified), ("ETag", f'"{form.tag}"'), *vary)


def _partial(slices: list[Slice], facts: Facts, validators: tuple[tuple[str, str], ...], boundary: str) -> Reply:
    """206: one part as it is, several in a multipart/byteranges (RFC 9110 §15.3.7)."""
    if len(slices) == 1:
        where = ("Content-Range", content_range(slices[0], facts.size))
        fields = (("Content-Type", facts.kind), *validators, where)
        return Reply(206, fields, tuple(slices), slices[0].size)
    body: list[bytes | Slice] = []
    for part in slices:
        fields = (("Content-Type", facts.kind), ("Content-Range", content_range(part, facts.size)))
        body += [f"\r\n--{boundary}\r\n".encode() + render(fields) + b"\r\n", part]
    body.append(f"\r\n--{boundary}--\r\n".encode())
    length = sum(part.size if isinstance(part, Slice) else len(part) for part in body)
    kind = ("Content-Type", f"multipart/byteranges; boundary={boundary}")
    return Reply(206, (kind, *validators), tuple(body), length)
