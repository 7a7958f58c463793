"""Many questions over as few connections as their server allows, every outcome in order.

Some servers close the connection after one answer, some answer one of several requests that come together and drop
the others. Both show with the first two questions; from there on this asks one at a time, and connects again as
often as it is getting on. It knows no transport: it awaits what it is given.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from netlab.calc.errors import AnswerTimeout, BodyError, ConnectionClosed
from netlab.calc.question import Question, Response
from netlab.calc.sources import Source
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

    While questions are under way only what is ready is taken, so that a slow source holds up no answer.

    :param connect: makes a connection on which so many questions may be under way.
    :param window: how many that are, once the server has shown that it can.
    :param keep: is given every outcome, in order.
    """

    def __init__(
        self,
        source: Source[Question | NetlabError],
        connect: Callable[[int], Awaitable[Line]],
        window: int,
        watcher: Watcher,
        keep: Callable[[Outcome], object],
    ) -> None:
        self._source = source
        self._connect = connect
        self._window = window
        self._watcher = watcher
        self._keep = keep
        #: How many have their outcome.
        self._done = 0
        self._ended = False
        #: What was taken from the source and has no outcome yet; and what was asked of it, on this connection;
        #: its first is taken out to be awaited, which can be done once.
        self._todo: deque[Question | NetlabError] = deque()
        self._asked: deque[Awaitable[Response] | NetlabError] = deque()

    async def run(self) -> None:
        """Get everything's outcome.

        :raises CalcError: the connection failed and another would not help.
        """
        while await self._take(1):
            first = self._todo[0]
            if isinstance(first, NetlabError):
                self._settle(first)
            else:
                await self._run_once()

    async def _run_once(self) -> None:
        """Get as far as one connection goes."""
        done, window = self._done, self._window
        line = await self._connect(window)
        self._watcher.connected(line.peer)
        try:
            await self._ask_all(line)
        except (ConnectionClosed, AnswerTimeout) as error:
            progress = self._done > done
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
        while await self._take(self._window):
            while len(self._asked) < len(self._todo):
                self._asked.append(self._ask(line, self._todo[len(self._asked)]))
            self._settle(await _outcome(self._asked.popleft()))

    def _ask(self, line: Line, item: Question | NetlabError) -> Awaitable[Response] | NetlabError:
        if isinstance(item, Question):
            self._watcher.sending(self._done + len(self._asked), item)
            return line.ask(item)
        return item

    async def _take(self, count: int) -> bool:
        """Have up to ``count`` items to do, and wait for the first; whether there are any."""
        while len(self._todo) < count and not self._ended and (self._source.ready or not self._todo):
            item = await self._source.take()
            if item is None:
                self._ended = True
            else:
                self._todo.append(item)
        return bool(self._todo)

    def _settle(self, outcome: Outcome) -> None:
        self._todo.popleft()
        self._done += 1
        self._keep(outcome)
        self._watcher.answered(self._done - 1, outcome)

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
