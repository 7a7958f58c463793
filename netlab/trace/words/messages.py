"""What each packet carried of a program's messages, in words (docs/trace-apps.md)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netlab.trace.app.application import CALC, HTTP, UPPER, WATCHDOG
from netlab.trace.app.notes import Note
from netlab.trace.words.sentence import Duration, Notation, Plain, Sentence, counted, frames, octets, said

if TYPE_CHECKING:
    from netlab.trace.app.calc import CalcMessage
    from netlab.trace.app.http import HttpRequest, HttpResponse
    from netlab.trace.app.uppercase import UpperAnswer
    from netlab.trace.app.watchdog import WatchdogMessage

#: Fields of an HTTP head that are told.
_FIELDS = ("Host", "Connection", "Cache-Control", "Age", "ETag", "If-None-Match", "Range", "Content-Range", "Location")

#: Steps of an answer that are told; JSON has all.
MAX_STEPS = 8


def note_sentences(note: Note) -> Iterator[Sentence]:
    """What a packet carried of a message: the message itself where it is complete."""
    what, protocol = note.what, note.protocol
    if protocol == UPPER:
        yield from _upper(note, what)
        return
    if protocol not in (CALC, HTTP, WATCHDOG):
        return
    if not note.last:
        yield _part(note)
        return
    if protocol == CALC:
        yield from _calc(what)
    elif protocol == WATCHDOG:
        yield _watchdog(what)
    elif note.role == "request":
        yield _asked(what)
        yield from _content(what)
    else:
        yield _answered(what)
        yield from _content(what)
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


def _calc(one: "CalcMessage") -> Iterator[Sentence]:
    if one.expression is not None:
        yield said("It asks the calculator for {expression}.", expression=one.expression)
    elif one.result is not None:
        yield said("The calculator's answer is {result}.", result=one.result)
    elif one.error is not None:
        yield said(
            "The calculator answers with an error: {kind}: {message}.", kind=one.error.kind, message=one.error.message
        )
    if one.steps:
        yield counted(
            "It brings {count} step: {steps}.", "It brings {count} steps: {steps}.", len(one.steps), steps=_steps(one)
        )
    if one.problem is not None:
        yield said("It cannot be read: {problem}.", problem=one.problem)
    yield said("Its header: {header}.", header=Notation(calc_header(one)))


def _steps(one: "CalcMessage") -> str:
    """The texts of the steps, each of which equals the next."""
    shown = " = ".join(one.steps[:MAX_STEPS])
    return f"{shown} = …" if len(one.steps) > MAX_STEPS else shown


def calc_header(one: "CalcMessage") -> str:
    """The fields of a calculator header, in the notation of the protocol's description."""
    header = one.header
    bits = f"C={int(header.cache)} S={int(header.steps)} T={int(header.request)}"
    age = "∞" if header.max_age == 65_535 else f"{header.max_age} s"
    status = "" if header.request else f", status={header.status}"
    return f"length={header.length}, {bits}{status}, max-age={age}, timestamp={header.timestamp}"


def _asked(one: "HttpRequest") -> Sentence:
    return said(
        "It asks for {target} ({method}, {version}).", target=one.target, method=one.method, version=one.version
    )


def _answered(one: "HttpResponse") -> Sentence:
    return said(
        "It answers {status} {reason} ({version}).", status=Plain(one.status), reason=one.reason, version=one.version
    )


def _content(one: "HttpRequest | HttpResponse") -> Iterator[Sentence]:
    fields = [f"{name}: {value}" for name in _FIELDS if (value := one.header(name)) is not None]
    if fields:
        yield said("Its head says: {fields}.", fields=", ".join(fields))
    body = one.body
    if body.length and body.type:
        yield said("Its body has {size} of {type}.", size=octets(body.length), type=body.type)
    elif body.length:
        yield said("Its body has {size}; the head does not say of what type.", size=octets(body.length))
    if not body.complete:
        yield said("Its body is not complete.")


def _upper(note: Note, one: "UpperAnswer") -> Iterator[Sentence]:
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


def _watchdog(one: "WatchdogMessage") -> Sentence:
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
