"""The uppercase servers (protocols.md §2): which answer bytes belong to which request bytes, and which server it was.

An answer is what the server received, in upper case, perhaps many times over. How much it received at a time is not on
the wire, but the answer tells.
"""

from collections.abc import Iterator, Mapping

from attrs import frozen

from netlab.trace.app.application import Ends
from netlab.trace.app.recording import Recording
from netlab.trace.app.repeats import Part, Repeats
from netlab.trace.app.span import Span

#: What the server of variant V2 receives at a time.
PIECE = 5
#: A small letter is among so many first bytes, the most that a server of the labs receives at a time.
LETTERS = 1_024
#: The server of variant V4 waits 5 s; a kernel may be a little early or late.
DELAY = 4_500_000_000
#: The session server answers so many messages, and closes.
SESSION_MESSAGES = 2


@frozen
class Sign:
    """What a variant was recognised by, the packet that shows it, and its numbers (docs/trace-apps.md)."""

    what: str
    frame: int
    numbers: Mapping[str, int]


@frozen
class UpperAnswer:
    """``answer`` is ``request`` in upper case, ``factor`` times; not ``complete`` if less than that came.

    ``waited`` is from the last packet of the request to the first of the answer, in ns; it can be negative where an
    answer began before its request was whole.
    """

    request: Span
    answer: Span
    factor: int
    complete: bool
    waited: int


@frozen
class UpperTalk:
    """A conversation with an uppercase server; ``variant`` is `None` if it could be more than one.

    ``unanswered`` is what of the client's bytes was never answered, `None` if all was.
    """

    variant: str | None
    factor: int
    evidence: tuple[Sign, ...]
    answers: tuple[UpperAnswer, ...]
    unanswered: Span | None


def read_uppercase(client: Recording, server: Recording, ends: Ends) -> UpperTalk | None:
    """What the two sides said, if the server's bytes are the client's in upper case; `None` if they are not."""
    asked, answered = bytes(client.data), bytes(server.data)
    if not answered or not _changes(asked, answered):
        return None
    upper = asked.upper()
    once = upper.startswith(answered)
    parts = list(_once(server)) if once else Repeats(upper, answered, client.ends).explained()
    if not parts:
        return None
    answers = tuple(_answer(client, server, *part) for part in parts)
    done = parts[-1][1]
    # After a gap nobody can say what was answered.
    whole = client.whole and server.whole
    unanswered = client.span(done, len(asked)) if whole and done < len(asked) else None
    factor = max(answer.factor for answer in answers)
    signs = tuple(_signs(answers, factor, ends))
    return UpperTalk(_variant(signs, unanswered), factor, signs, answers, unanswered)


def may_be_uppercase(asked: bytearray, answered: bytearray) -> bool:
    """Whether an answer that begins like this may be the request in upper case: true as long as one is empty.

    Of a request that has not one small letter among its first bytes nobody could tell.
    """
    if len(asked) >= LETTERS and asked[:LETTERS].upper() == asked[:LETTERS]:
        return False
    return not asked or not answered or answered[:1] == asked[:1].upper()


def _changes(asked: bytes, answered: bytes) -> bool:
    """Whether the answer begins as upper case does, and is not the same bytes as the request: that would be an echo."""
    first = asked[:1].upper()
    return answered[:1] == first and not asked.startswith(answered[: len(asked)])


def _once(server: Recording) -> Iterator[Part]:
    """Each packet of the answer, with as many bytes of the request."""
    start = 0
    for end in server.ends:
        yield start, end, start, end, 1, True
        start = end


def _answer(
    client: Recording, server: Recording, start: int, stop: int, begin: int, end: int, factor: int, complete: bool
) -> UpperAnswer:
    request, answer = client.span(start, stop), server.span(begin, end)
    return UpperAnswer(request, answer, factor, complete, answer.began - request.ended)


def _signs(answers: tuple[UpperAnswer, ...], factor: int, ends: Ends) -> Iterator[Sign]:
    first = answers[0]
    if factor > 1:
        yield Sign("repeated", first.answer.first, {"factor": factor, "bytes": first.request.length})
    # The first answer is a piece of what one packet brought.
    piecemeal = any(answer.request.first == first.request.first for answer in answers[1:])
    if factor == 1 and first.answer.length == PIECE and piecemeal:
        yield Sign("pieces_of", first.answer.first, {"size": PIECE})
    slow = max(answers, key=lambda answer: answer.answer.began - answer.request.began)
    delay = slow.answer.began - slow.request.began
    if delay >= DELAY:
        yield Sign("delay", slow.answer.first, {"ns": delay})
    for answer in answers:
        if answer.request.packets > 1:
            numbers = {"segments": answer.request.packets, "bytes": answer.request.length}
            yield Sign("answered_together", answer.answer.first, numbers)
            break
    close = ends.first
    if close is not None and not close.reset:
        by_server = close.by == first.answer.sender
        what = "server_closed_after" if by_server else "until_client_closes"
        yield Sign(what, close.frame, {"messages": len(answers)})


def _variant(signs: tuple[Sign, ...], unanswered: Span | None) -> str | None:
    """The variant that the signs speak for, the strongest first."""
    found = {sign.what: sign for sign in signs}
    if "repeated" in found:
        return "v3"
    if "delay" in found:
        return "v4"
    if "pieces_of" in found:
        return "v2"
    closed = found.get("server_closed_after")
    if closed is not None and closed.numbers["messages"] == SESSION_MESSAGES:
        return "session"
    return "v1" if "until_client_closes" in found and unanswered is None else None
