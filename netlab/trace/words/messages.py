"""What each packet carried of a program's messages, in words (docs/trace-apps.md)."""

from collections.abc import Iterator

from netlab.trace.app.calc import CalcMessage
from netlab.trace.app.http import HttpRequest, HttpResponse
from netlab.trace.app.notes import Note
from netlab.trace.app.uppercase import UpperAnswer
from netlab.trace.app.watchdog import WatchdogMessage
from netlab.trace.words.sentence import Duration, Notation, Plain, Sentence, Value, counted, frames, octets, said

#: Fields of an HTTP head that are told.
_FIELDS = ("Host", "Connection", "Cache-Control", "Age", "ETag", "If-None-Match", "Range", "Content-Range", "Location")


def note_sentences(note: Note) -> Iterator[Sentence]:
    """What a packet carried of a message: the message itself where it is complete."""
    what = note.what
    if isinstance(what, UpperAnswer):
        yield from _upper(note, what)
        return
    if not isinstance(what, CalcMessage | HttpRequest | HttpResponse | WatchdogMessage):
        return
    if not note.last:
        yield _part(note)
        return
    if isinstance(what, CalcMessage):
        yield from _calc(what)
    elif isinstance(what, WatchdogMessage):
        yield _watchdog(what)
    else:
        yield from _http(what)
    if note.parts > 1:
        yield counted(
            "It came in {count} packet, the last is this.",
            "It came in {count} packets, the last is this.",
            note.parts,
        )


def _part(note: Note) -> Sentence:
    return said(
        "That is part {part} of {parts} of a message, {size} of it.",
        part=note.part,
        parts=note.parts,
        size=octets(note.length),
    )


def _calc(one: CalcMessage) -> Iterator[Sentence]:
    if one.expression is not None:
        yield said("It asks the calculator for {expression}.", expression=one.expression)
    elif one.result is not None:
        yield said("The calculator's answer is {result}.", result=one.result)
    elif one.error is not None:
        yield said(
            "The calculator answers with an error: {kind}: {message}.", kind=one.error.kind, message=one.error.message
        )
    if one.steps:
        yield counted("It brings {count} step.", "It brings {count} steps.", len(one.steps))
    if one.problem is not None:
        yield said("It cannot be read: {problem}.", problem=one.problem)
    yield said("Its header: {header}.", header=Notation(calc_header(one)))


def calc_header(one: CalcMessage) -> str:
    """The fields of a calculator header, in the notation of the protocol's description."""
    header = one.header
    bits = f"C={int(header.cache)} S={int(header.steps)} T={int(header.request)}"
    age = "∞" if header.max_age == 65_535 else f"{header.max_age} s"
    status = "" if header.request else f", status={header.status}"
    return f"length={header.length}, {bits}{status}, max-age={age}, timestamp={header.timestamp}"


def _http(one: HttpRequest | HttpResponse) -> Iterator[Sentence]:
    if isinstance(one, HttpRequest):
        yield said("It asks for {target} ({method}, {version}).", **_request(one))
    else:
        yield said("It answers {status} {reason} ({version}).", **_response(one))
    fields = [f"{name}: {value}" for name in _FIELDS if (value := one.header(name)) is not None]
    if fields:
        yield said("Its head says: {fields}.", fields=", ".join(fields))
    body = one.body
    if body.length:
        yield said("Its body has {size} of {type}.", size=octets(body.length), type=body.type or said("no type"))
    if not body.complete:
        yield said("Its body is not complete.")


def _request(one: HttpRequest) -> dict[str, Value]:
    return {"target": one.target, "method": one.method, "version": one.version}


def _response(one: HttpResponse) -> dict[str, Value]:
    return {"status": Plain(one.status), "reason": one.reason, "version": one.version}


def _upper(note: Note, one: UpperAnswer) -> Iterator[Sentence]:
    asked = frames(sorted({part.frame for part in one.request.parts[:8]}))
    if note.role == "request":
        answered = frames(sorted({part.frame for part in one.answer.parts[:8]}))
        yield counted(
            "This is to be written in capitals; {count} packet has the answer: {frames}.",
            "This is to be written in capitals; {count} packets have the answer: {frames}.",
            one.answer.packets,
            frames=answered,
        )
        return
    yield said("It is what packet {frames} asked for, in capitals.", frames=asked)
    if one.factor > 1:
        yield counted("Each byte stands there {count} time.", "Each byte stands there {count} times.", one.factor)
    if not one.complete:
        yield said("The answer is not complete.")


def _watchdog(one: WatchdogMessage) -> Sentence:
    value = Plain(one.value or 0)
    if one.kind == "start":
        return said("It tells the watchdog to begin watching ({value}).", value=value)
    if one.kind == "reset" and one.since is not None:
        return said(
            "It tells the watchdog to set its timer to zero ({value}), {since} after the message before.",
            value=value,
            since=Duration(one.since),
        )
    if one.kind == "reset":
        return said("It tells the watchdog to set its timer to zero ({value}).", value=value)
    if one.text is not None:
        return said("It tells the watchdog: “{text}”", text=one.text)
    if one.kind == "rest":
        return said("That is only a part of a number, which the watchdog cannot understand.")
    return said("It sends the watchdog {value}, which means nothing to it.", value=value)
