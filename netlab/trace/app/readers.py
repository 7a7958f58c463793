"""The reader of each protocol, imported when the first conversation speaks it: most captures have one or two."""

from typing import TYPE_CHECKING

from netlab.trace.app.application import CALC, HTTP, WATCHDOG, Reader, Room
from netlab.trace.app.recognition import Recognised

if TYPE_CHECKING:
    from netlab.trace.app.calc_bodies import Bodies


class Readers:
    """Makes readers, which share what a capture may keep."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._bodies: Bodies | None = None

    def of(self, what: Recognised) -> Reader:
        """A reader for a conversation that was recognised."""
        if what.protocol == CALC:
            return self._calc(what.client)
        if what.protocol == HTTP:
            from netlab.trace.app.http import HttpReader

            return HttpReader(what.client, self._room)
        if what.protocol == WATCHDOG:
            from netlab.trace.app.watchdog import WatchdogReader

            return WatchdogReader(what.client, self._room, what.texts)
        from netlab.trace.app.plain import PlainReader

        return PlainReader(what.client, self._room)

    def _calc(self, client: int) -> Reader:
        from netlab.trace.app.calc import CalcReader
        from netlab.trace.app.calc_bodies import Bodies

        if self._bodies is None:
            self._bodies = Bodies(self._room)
        return CalcReader(client, self._room, self._bodies)
