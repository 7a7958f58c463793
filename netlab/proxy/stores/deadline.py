"""What every operation of a store ends with: a result in time, or a `StoreError`."""

from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from netlab.proxy.stores.base import StoreError

T = TypeVar("T")


class Late(StoreError):
    """An operation took too long."""


def within(seconds: float, clock: IReactorTime, deferred: Deferred[T]) -> Deferred[T]:
    """``deferred``, which is cancelled and fails with `Late` if it takes longer than ``seconds``."""

    def late(_: T | Failure, after: float) -> T | Failure:
        return Failure(Late(f"it took longer than {after:g} s"))

    return deferred.addTimeout(seconds, clock, late)
