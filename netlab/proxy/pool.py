"""The upstreams, and which of them a request goes to."""

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from netlab.proxy.backoff import Backoff
from netlab.proxy.errors import NotAsked, UpstreamClosed, UpstreamError, UpstreamUnreachable
from netlab.proxy.stores.breaker import Breaker
from netlab.proxy.upstream import Upstream

_BACKOFF = Backoff()


class Pool:
    """Asks the upstreams: the least busy that works, and another one where the first could not be reached.

    One that failed is left alone for a while, longer each time, and then tried with a single request first. When all
    are being left alone, they are tried all the same: a client that would otherwise get an error at once loses nothing
    by it.

    :param chance: numbers from 0 to 1, for the jitter.
    """

    log = Logger(namespace="netlab.proxy")

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        clock: IReactorTime,
        backoff: Backoff = _BACKOFF,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.upstreams = tuple(upstreams)
        self._clock = clock
        self._health = {upstream: Breaker(backoff, chance) for upstream in upstreams}
        for upstream in upstreams:
            upstream.unasked = partial(self._failed, upstream)

    def ask(self, frame: bytes) -> Deferred[bytes]:
        """Send a request; fires with the whole response packet, or fails with an `UpstreamError`, in bounded time."""
        return Deferred.fromCoroutine(self._ask(frame))

    def state(self, upstream: Upstream) -> str:
        """``working``, or what is wrong with an upstream and when it is tried again."""
        return self._health[upstream].state(self._clock.seconds())

    def stop(self) -> Deferred[None]:
        """Give up every connection and make no other; fires when all are gone."""
        return gatherResults([upstream.stop() for upstream in self.upstreams]).addCallback(lambda _: None)

    async def _ask(self, frame: bytes) -> bytes:
        """Go from one upstream to the next until one can be reached; and once more where a connection was lost."""
        candidates = self._candidates()
        upstream: Upstream | None = next(candidates)
        again = False
        while True:
            assert upstream is not None
            try:
                packet = await upstream.ask(frame, fresh=again)
            except UpstreamClosed as error:
                if again or not error.silently:
                    self._failed(upstream, error)
                if again:
                    raise
                again = True
                if not error.silently:
                    upstream = next(candidates, upstream)
            except UpstreamUnreachable as error:
                self._failed(upstream, error)
                upstream = next(candidates, None)
                if upstream is None:
                    raise
            except BaseException as error:
                self._failed(upstream, error)
                raise
            else:
                self._worked(upstream)
                return packet

    def _candidates(self) -> Iterator[Upstream]:
        """The upstreams to try, the least busy first, those that are being left alone last."""
        left_alone = []
        for upstream in sorted(self.upstreams, key=lambda upstream: upstream.busy):
            if self._health[upstream].allows(self._clock.seconds()):
                yield upstream
            else:
                left_alone.append(upstream)
        yield from left_alone

    def _failed(self, upstream: Upstream, error: BaseException) -> None:
        health = self._health[upstream]
        if not isinstance(error, UpstreamError) or isinstance(error, NotAsked):
            health.abandoned()
            return
        if health.problem is None:
            self.log.warn("Upstream {name} failed: {error}", name=upstream.name, error=str(error))
        health.failed(str(error), self._clock.seconds())

    def _worked(self, upstream: Upstream) -> None:
        health = self._health[upstream]
        if health.problem is not None:
            self.log.info("Upstream {name} works again", name=upstream.name)
        health.succeeded()
