"""The client's side of one connection: questions go out in order, and answers come back in the same order.

An answer does not say which question it belongs to; only its place does. Deployed servers read what has arrived,
answer the first request in it and drop the others, so that a later answer would be taken for that of a dropped one.
Therefore two questions are sent together first, and nothing more until both are answered: a server that does that
keeps the order, and from there on up to ``window`` questions are under way.
"""

from collections import deque
from itertools import islice
from typing import NamedTuple

from netlab.calc.errors import BodyError, CalcError, UnexpectedAnswer
from netlab.calc.framing import FrameReader
from netlab.calc.question import Question, Response, check_place, read
from netlab.common.errors import LocalError

#: Enough to keep a server busy over a round trip of some milliseconds; at the largest packets it is 4 MB of requests.
WINDOW = 64

_TRIAL = 2


class Answered(NamedTuple):
    """What came for one question: a response, or why its body cannot be read (the connection goes on)."""

    ticket: int
    outcome: Response | BodyError


class Conversation:
    """Questions and answers, free of any transport.

    ``fault`` is `None` until something comes that leaves no trust in the order; from then on it holds the reason, no
    more answers will come, and the connection should be closed.
    """

    def __init__(self, window: int = WINDOW) -> None:
        if window < 1:
            raise LocalError("at least one question must be allowed under way")
        self.fault: CalcError | None = None
        self.window = window
        self._reader = FrameReader()
        self._waiting: dict[int, Question] = {}
        self._sent: deque[tuple[int, Question]] = deque()
        self._asked = 0
        #: How many questions the last write took along, until the server has shown that it keeps the order.
        self._together = 0
        self._proven = False

    @property
    def under_way(self) -> int:
        """How many questions were sent and are not answered yet."""
        return len(self._sent)

    @property
    def pipelines(self) -> bool:
        """Whether this server has shown that it answers every one of several requests that come together."""
        return self._proven

    @property
    def begun(self) -> int:
        """How many bytes of an unfinished answer are here."""
        return self._reader.begun

    @property
    def in_doubt(self) -> bool:
        """Whether the server has answered one of two questions that left together, and not yet the other."""
        return not self._proven and 0 < len(self._sent) < self._together

    def ask(self, question: Question) -> int:
        """Put a question at the end of those that wait; the ticket that its answer will carry."""
        self._asked += 1
        self._waiting[self._asked] = question
        return self._asked

    def withdraw(self, ticket: int) -> None:
        """Send this question no more. If it was sent, it keeps its place, and its answer comes like any other."""
        self._waiting.pop(ticket, None)

    def send(self, now: float) -> bytes:
        """The packets that may be written at ``now`` (unix seconds), maybe none; call it after `ask` and `feed`."""
        if self.fault is not None:
            return b""
        tickets = list(islice(self._waiting, self._room()))
        leaving = [(ticket, self._waiting.pop(ticket)) for ticket in tickets]
        if leaving:
            self._together = len(leaving)
            self._sent += leaving
        return b"".join([question.packet(now) for _, question in leaving])

    def feed(self, data: bytes) -> list[Answered]:
        """Take what arrived and give every answer it completed, in the order of the questions; then look at `fault`."""
        if self.fault is not None:
            return []
        answered = []
        for frame in self._reader.feed(data):
            try:
                answered.append(self._take(frame))
            except CalcError as error:
                self.fault = error
                return answered
        self.fault = self._reader.fault
        return answered

    def _room(self) -> int:
        """How many more questions may be sent now."""
        if self._proven:
            return self.window - len(self._sent)
        return 0 if self._sent else min(self.window, _TRIAL)

    def _take(self, frame: bytes) -> Answered:
        check_place(frame)
        if not self._sent:
            raise UnexpectedAnswer("an answer came to a question that nobody asked")
        ticket, question = self._sent.popleft()
        if not self._sent and self._together >= _TRIAL:
            self._proven = True
        try:
            return Answered(ticket, read(question, frame))
        except BodyError as error:
            return Answered(ticket, error)
