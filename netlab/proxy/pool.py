"""The upstreams, and which of them a request goes to."""

import random
from collections import deque
from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from netlab.proxy.backoff import Backoff
from netlab.proxy.errors import TooManyWaiting, UpstreamClosed, UpstreamError, UpstreamUnreachable
from netlab.proxy.upstream import Upstream


class Pool:
    """Asks the upstreams: the least busy that works, and another one where the first could not be reached.

    One that failed is left alone for a while, longer each time, and then tried with a single request first. When all
    are being left alone, the one whose time is up soonest is tried all the same: a client that would otherwise get an
    error at once loses nothing by it.

    :param chance: numbers from 0 to 1, for the jitter.
    """

    log = Logger(namespace="netlab.proxy")

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        clock: IReactorTime,
        backoff: Backoff | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.upstreams = tuple(upstreams)
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._chance = chance

    def ask(self, frame: bytes) -> Deferred[bytes]:
        """Send a request; fires with the whole response packet, or fails with an `UpstreamError`, in bounded time."""
        return Deferred.fromCoroutine(self._ask(frame))

    def stop(self) -> Deferred[None]:
        """Give up every connection; fires when all are gone."""
        return gatherResults([upstream.stop() for upstream in self.upstreams]).addCallback(lambda _: None)

    async def _ask(self, frame: bytes) -> bytes:
        candidates = self._in_order()
        again = False
        while True:
            upstream = candidates.popleft()
            self._begin(upstream)
            try:
                packet = await upstream.ask(frame, fresh=again)
            except UpstreamClosed as error:
                if not error.silently:
                    self._failed(upstream, error)
                if again:
                    raise
                again = True
                if error.silently or not candidates:
                    candidates.appendleft(upstream)
            except UpstreamUnreachable as error:
                self._failed(upstream, error)
                if not candidates:
                    raise
            except TooManyWaiting:
                raise
            except UpstreamError as error:
                self._failed(upstream, error)
                raise
            else:
                self._worked(upstream)
                return packet

    def _in_order(self) -> deque[Upstream]:
        """The upstreams to try: those that work, least busy first, then those left alone, soonest first."""
        now = self._clock.seconds()
        ready = [upstream for upstream in self.upstreams if upstream.resting_until <= now]
        resting = [upstream for upstream in self.upstreams if upstream.resting_until > now]
        ready.sort(key=lambda upstream: upstream.busy)
        resting.sort(key=lambda upstream: upstream.resting_until)
        return deque(ready + resting)

    def _begin(self, upstream: Upstream) -> None:
        """Let others pass by while a single request finds out whether a failed upstream is back."""
        if upstream.failures:
            self._rest(upstream)

    def _rest(self, upstream: Upstream) -> None:
        upstream.resting_until = self._clock.seconds() + self._backoff.after(upstream.failures, self._chance())

    def _failed(self, upstream: Upstream, error: UpstreamError) -> None:
        upstream.failures += 1
        self._rest(upstream)
        if upstream.failures == 1:
            self.log.warn("Upstream {name} failed: {error}", name=upstream.name, error=str(error))

    def _worked(self, upstream: Upstream) -> None:
        if upstream.failures:
            self.log.info("Upstream {name} works again", name=upstream.name)
        upstream.failures = 0
        upstream.resting_until = 0.0
