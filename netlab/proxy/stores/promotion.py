"""Which of two answers to go on with, when one comes from a store behind the memory."""

from attrs import evolve

from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Clocks, age_of


def settled(entry: Entry, now: Clocks) -> Entry:
    """The entry as the memory keeps it: from now on it ages by the monotonic clock, from the age it has now.

    Another process's answer has an age by the wall clock alone. Were that clock set back later, the answer would
    grow younger; so its time here counts from the moment at which, by now's clocks, it was made.
    """
    return evolve(entry, stored_at=now.monotonic - age_of(entry, now))


def newer(held: Entry | None, found: Entry | None, now: Clocks) -> Entry | None:
    """Which serves from now on: what the memory holds, or what was found behind it, settled if it is that.

    The younger one does; but most often they are one and the same answer, and then what is held knows its age better.
    """
    if found is None:
        return held
    if held is not None and (held.packet == found.packet or age_of(held, now) <= age_of(found, now)):
        return held
    return settled(found, now)
