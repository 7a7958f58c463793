"""Where the texts and questions of a batch come from: a list that is there, or something that takes its time."""

from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

S = TypeVar("S")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Source(Protocol[T_co]):
    """Things in order, of which the next may not be there yet."""

    @property
    def ready(self) -> bool:
        """Whether `take` need not wait: the next thing, or the end, is there."""

    async def take(self) -> T_co | None:
        """The next thing once it is there; `None` at the end, and nothing is taken after it."""


class Listed(Generic[T]):
    """The source of things that are all there."""

    ready = True

    def __init__(self, things: Iterable[T]) -> None:
        self._things = iter(things)

    async def take(self) -> T | None:
        """The next thing."""
        return next(self._things, None)


class Mapped(Generic[S, T]):
    """What ``function`` makes of each thing of another source, when it is taken."""

    def __init__(self, function: Callable[[S], T], source: Source[S]) -> None:
        self._function = function
        self._source = source

    @property
    def ready(self) -> bool:
        """As of the thing."""
        return self._source.ready

    async def take(self) -> T | None:
        """What is made of the next thing."""
        thing = await self._source.take()
        return None if thing is None else self._function(thing)
