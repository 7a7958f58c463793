"""Running Twisted's reactor for one command."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

T = TypeVar("T")


def run_reactor(work: "Callable[[Any], Deferred[T]]") -> T:
    """Run the reactor until what ``work(reactor)`` gives has fired, and give its result or raise its error.

    :raises KeyboardInterrupt: a signal came first.
    """
    from twisted.internet import reactor as global_reactor
    from twisted.internet.defer import maybeDeferred
    from twisted.logger import globalLogBeginner

    reactor: Any = global_reactor
    outcomes: list[T | Failure] = []
    ended: list[bool] = []

    def finish(outcome: "T | Failure") -> None:
        outcomes.append(outcome)
        if not ended:
            reactor.stop()

    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    # At a signal this comes before the connections are closed, and so before the work fails of that.
    reactor.addSystemEventTrigger("before", "shutdown", lambda: ended.append(bool(outcomes)))
    reactor.callWhenRunning(lambda: maybeDeferred(work, reactor).addBoth(finish))
    reactor.run()
    if not ended[0]:
        raise KeyboardInterrupt
    return _result(outcomes[0])


def _result(outcome: "T | Failure") -> T:
    from twisted.python.failure import Failure

    if isinstance(outcome, Failure):
        outcome.raiseException()
    return outcome
