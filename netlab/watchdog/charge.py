"""What a watchdog does that is in charge of one program: the one that started it, or one that it started."""

import signal
from collections.abc import Callable

from attrs import evolve
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.python.failure import Failure

from netlab.watchdog.errors import NotProven
from netlab.watchdog.expiry import Silence
from netlab.watchdog.kin import Process, Table, family
from netlab.watchdog.peers import prove
from netlab.watchdog.supervisor import End, Orders, Supervisor
from netlab.watchdog.timeline import Timeline, named


class Charge:
    """Ends its program when that is silent. Who else connects and is silent is told of, and nothing happens to them.

    :param program: what is ended, with all that it started.
    :param reporter: who speaks for it; the program itself, and what it started, may as well.
    :param say: takes each line for a person.
    :param begins: is called as its end begins because it was silent.
    :param over: is called when its end is reached, whoever asked for it, and the story was told.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        program: Process,
        reporter: Process,
        orders: Orders,
        say: Callable[[str], None],
        begins: Callable[[], None],
        over: Callable[[], None],
    ) -> None:
        self._supervisor = supervisor
        self._program = program
        self._reporter = reporter
        self._orders = orders
        self._say = say
        self._begins = begins
        self._over = over
        self._end: End | None = None
        #: When the program asked something last, and what.
        self.request: tuple[float, str] | None = None

    # ---- an action, as the watchdog's factory knows it

    def expired(self, silence: Silence) -> "Deferred[None]":
        """End the program if it is the one that is silent."""
        return ensureDeferred(self._judge(silence)).addErrback(self._fault)

    def stop(self) -> "Deferred[None]":
        """Nothing is left that would not be over by itself."""
        return succeed(None)

    # ---- what the watchdog's own program asks for

    def finish(self, polite: signal.Signals = signal.SIGTERM) -> None:
        """End the program without a story. If its end has begun already, be quick about it."""
        if self._end is not None:
            self._end.hurry()
        else:
            self._end = self._supervisor.begin([self._program], evolve(self._orders, polite=polite), Timeline(0.0))
            ensureDeferred(self._end.finish()).addErrback(self._fault).addCallback(lambda _: self._over())

    @property
    def begun(self) -> bool:
        """Whether an end has begun."""
        return self._end is not None

    @property
    def killed(self) -> bool:
        """Whether SIGKILL was needed."""
        return self._end is not None and self._end.killed

    # ---- inside

    async def _judge(self, silence: Silence) -> None:
        table = await self._supervisor.look()
        try:
            await self._supervisor.in_thread(self._check, silence, table)
        except NotProven as reason:
            self._say(f"{silence.name} gave no sign of life, and nobody is ended: {reason}")
            return
        if self._end is None:
            await self._tell(silence)

    def _check(self, silence: Silence, table: Table) -> None:
        """Check that it is our program that is silent.

        :raises NotProven: it is somebody else, or that cannot be known.
        """
        process = prove(silence.peer, table)
        ours = {self._reporter.identity, *family(table, [self._program], self._orders.spared)}
        if process.identity not in ours:
            raise NotProven(f"{named(process)} does not belong to {named(self._program)}")

    async def _tell(self, silence: Silence) -> None:
        """End the program, and tell the story."""
        timeline = silence.timeline()
        self._end = self._supervisor.begin([self._program], self._orders, timeline)
        self._begins()
        self._say(
            f"{named(self._program)} gave no sign of life for {silence.timeout:g} s; "
            "it is ended, and all that it started"
        )
        await self._end.finish()
        if self.request is not None:
            timeline.note(self.request[0], "last request", self.request[1])
        for line in timeline.lines():
            self._say(line)
        self._over()

    def _fault(self, failure: Failure) -> None:
        self._say(f"a fault of its own: {failure.getErrorMessage()}")
