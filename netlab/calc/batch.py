"""Many questions over as few connections as their server allows, every outcome in order.

Some servers close the connection after one answer, some answer one of several requests that come together and drop
the others. Both show with the first two questions; from there on this asks one at a time, and connects again as
often as it is getting on. It knows no transport: it awaits what it is given.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Protocol

from netlab.calc.errors import AnswerTimeout, BodyError, ConnectionClosed
from netlab.calc.question import Question, Response
from netlab.common.errors import NetlabError

#: What came of one text: a response, or the error of its own that it got none for.
Outcome = Response | NetlabError


class Line(Protocol):
    """What a batch needs of a connection."""

    @property
    def peer(self) -> str:
        """Who answers."""

    @property
    def pipelines(self) -> bool:
        """Whether the server has shown that it answers every one of several requests that come together."""

    def ask(self, question: Question) -> Awaitable[Response]:
        """Send a question in its turn."""

    def close(self) -> Awaitable[None]:
        """Close it; open questions fail, and the end is awaited."""


class Watcher:
    """Is told what happens, as it happens; override what you need. Numbers count the texts from 0."""

    def connected(self, peer: str) -> None:
        """A connection to ``peer`` is there."""

    def sending(self, number: int, question: Question) -> None:
        """A question is on its way; this comes again if it has to be sent over another connection."""

    def answered(self, number: int, outcome: Outcome) -> None:
        """What came of a text; in the order of the texts, once for each."""

    def closed(self, peer: str) -> None:
        """The connection is gone."""


class Batch:
    """One run over ``source``, the questions, or in a place what is wrong with the text that stands there.

    :param connect: makes a connection on which so many questions may be under way.
    :param window: how many that are, once the server has shown that it can.
    """

    def __init__(
        self,
        source: Iterator[Question | NetlabError],
        connect: Callable[[int], Awaitable[Line]],
        window: int,
        watcher: Watcher,
    ) -> None:
        self._source = source
        self._connect = connect
        self._window = window
        self._watcher = watcher
        self._outcomes: list[Outcome] = []
        #: What was taken from the source and has no outcome yet; and what was asked of it, on this connection;
        #: its first is taken out to be awaited, which can be done once.
        self._todo: deque[Question | NetlabError] = deque()
        self._asked: deque[Awaitable[Response] | NetlabError] = deque()

    async def run(self) -> list[Outcome]:
        """Everything's outcome, in order.

        :raises CalcError: the connection failed and another would not help.
        """
        while self._take(1):
            first = self._todo[0]
            if isinstance(first, NetlabError):
                self._settle(first)
            else:
                await self._run_once()
        return self._outcomes

    async def _run_once(self) -> None:
        """Get as far as one connection goes."""
        done, window = len(self._outcomes), self._window
        line = await self._connect(window)
        self._watcher.connected(line.peer)
        try:
            await self._ask_all(line)
        except (ConnectionClosed, AnswerTimeout) as error:
            progress = len(self._outcomes) > done
            in_pairs = window > 1 and len(self._todo) > 1 and not line.pipelines
            if in_pairs and (progress or isinstance(error, ConnectionClosed)):
                self._window = 1
            elif not progress or isinstance(error, AnswerTimeout):
                raise
        finally:
            await line.close()
            await self._drop_asked()
            self._watcher.closed(line.peer)

    async def _ask_all(self, line: Line) -> None:
        while self._take(self._window):
            while len(self._asked) < len(self._todo):
                self._asked.append(self._ask(line, self._todo[len(self._asked)]))
            self._settle(await _outcome(self._asked.popleft()))

    def _ask(self, line: Line, item: Question | NetlabError) -> Awaitable[Response] | NetlabError:
        if isinstance(item, Question):
            self._watcher.sending(len(self._outcomes) + len(self._asked), item)
            return line.ask(item)
        return item

    def _take(self, count: int) -> bool:
        """Have ``count`` items to do, if there are so many; whether there are any."""
        while len(self._todo) < count and (item := next(self._source, None)) is not None:
            self._todo.append(item)
        return bool(self._todo)

    def _settle(self, outcome: Outcome) -> None:
        self._todo.popleft()
        self._outcomes.append(outcome)
        self._watcher.answered(len(self._outcomes) - 1, outcome)

    async def _drop_asked(self) -> None:
        """Hear of the failure of everything that is still open, so that nobody finds it unheard."""
        while self._asked:
            with suppress(NetlabError):
                await _outcome(self._asked.popleft())


async def _outcome(asked: Awaitable[Response] | NetlabError) -> Outcome:
    """The outcome of one question; what is wrong with more than that one is raised."""
    if isinstance(asked, NetlabError):
        return asked
    try:
        return await asked
    except BodyError as error:
        return error
