"""Echoes in words: which reply belongs to which request, and which never came (docs/trace-apps.md)."""

from collections.abc import Iterator

from netlab.trace.app.echo import Echo, EchoSession
from netlab.trace.words.sentence import Duration, Listing, Notation, Plain, Sentence, counted, frames, said

#: Numbers of lost echoes that are told.
MAX_LOST = 12


def echo_title(one: EchoSession) -> Sentence:
    """The heading of a session."""
    return said(
        "Echoes of {source} from {destination}", source=Notation(one.source), destination=Notation(one.destination)
    )


def echo_sentences(one: EchoSession) -> Iterator[Sentence]:
    """The paragraph of a session."""
    yield counted("{count} echo was asked for.", "{count} echoes were asked for.", one.sent)
    yield counted("{count} came back.", "{count} came back.", one.received)
    if one.rtt_least is not None and one.rtt_mean is not None and one.rtt_most is not None:
        yield said(
            "The round trip took {mean} on average ({least} to {most}).",
            mean=Duration(one.rtt_mean),
            least=Duration(one.rtt_least),
            most=Duration(one.rtt_most),
        )
    yield from _without(one)
    if one.duplicates:
        yield counted("{count} reply came more than once.", "{count} replies came more than once.", one.duplicates)


def _without(one: EchoSession) -> Iterator[Sentence]:
    if one.lost:
        yield counted(
            "{count} was lost: {numbers}.", "{count} were lost: {numbers}.", one.lost, numbers=_of(one, "lost")
        )
    if one.failed:
        yield counted(
            "{count} ended in an error: {numbers}.",
            "{count} ended in errors: {numbers}.",
            one.failed,
            numbers=_of(one, "failed"),
        )
    if one.unanswered:
        yield counted(
            "{count} may still have been answered after the capture ended: {numbers}.",
            "{count} may still have been answered after the capture ended: {numbers}.",
            one.unanswered,
            numbers=_of(one, "unanswered"),
        )


def _of(one: EchoSession, outcome: str) -> Listing:
    """The sequence numbers of the echoes that ended so."""
    numbers = [Plain(echo.sequence) for echo in one.echoes if echo.outcome == outcome]
    if len(numbers) > MAX_LOST:
        return Listing((*numbers[:MAX_LOST], said("and others")))
    return Listing(tuple(numbers))


def echo_notes(sessions: tuple[EchoSession, ...]) -> dict[int, list[Sentence]]:
    """What is known of each packet of an echo, by frame."""
    notes: dict[int, list[Sentence]] = {}
    for session in sessions:
        for echo in session.echoes:
            for frame, sentence in _notes(echo):
                notes.setdefault(frame, []).append(sentence)
    return notes


def _notes(one: Echo) -> Iterator[tuple[int, Sentence]]:
    if one.request is not None and one.outcome == "lost":
        yield one.request, said("No reply ever came.")
    if one.request is not None and one.errors:
        yield one.request, said("It ended in an error (packet {frames}).", frames=frames(e.frame for e in one.errors))
    if one.reply is not None and one.request is None:
        yield one.reply, said("Nobody asked for it.")
    elif one.reply is not None and one.rtt is not None:
        yield (
            one.reply,
            said("It answers packet {frame}, {time} later.", frame=Plain(one.request or 0), time=Duration(one.rtt)),
        )
    if one.reply is not None and one.same_data is False:
        yield one.reply, said("It does not bring the same data back.")
    for frame in one.repeats:
        yield frame, said("It is the same request as packet {frame}.", frame=Plain(one.request or 0))
    for frame in one.duplicates:
        yield frame, said("It answers packet {frame} once more.", frame=Plain(one.request or 0))
