"""Timers that a change of the system's clock does not move.

Twisted's reactors count time by the system's clock: set back an hour, every timer waits an hour longer. What must be
in time whatever happens to that clock asks for the other one here, before it sets its first timer.
"""

import time
from typing import Any


def use_monotonic_clock(reactor: Any) -> None:
    """Have ``reactor`` count time by the monotonic clock, in ``seconds()`` and so in every timer set from now on.

    Timers that are set already keep the time they have left. A reactor with a clock of its own, such as
    `twisted.internet.task.Clock` or one that was changed before, is left as it is.
    """
    if reactor.seconds is not time.time:
        return
    shift = time.monotonic() - time.time()
    reactor.seconds = time.monotonic
    for call in reactor.getDelayedCalls():
        call.delay(shift)
