"""The watchdog's messages."""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from tests.trace.app.talking import CLIENT, SERVER, Line, only
from tests.trace.frames import ACK, RST

SECOND = 1_000_000_000
START, RESET, OTHER = (struct.pack("<i", number) for number in (300, 256, 7))


class NumberTests(SynchronousTestCase):
    """Numbers of four bytes."""

    def test_any_port(self) -> None:
        """Messages are cut from the stream, however it was cut, and the silence before the close is measured."""
        line = Line(4000).open().say(CLIENT, START[:3], START[3:] + RESET).wait(SECOND).say(CLIENT, OTHER)
        application = only(line.wait(10 * SECOND).close(SERVER))
        self.assertEqual((application.protocol, application.known_by), ("watchdog", "content"))
        talk = application.facts
        self.assertEqual(
            [(one.kind, one.value) for one in talk.messages], [("start", 300), ("reset", 256), ("unknown", 7)]
        )
        self.assertEqual(talk.silence, 10 * SECOND + 1_000_000)
        self.assertEqual((talk.closed.by, talk.closed.reset, talk.longest), (SERVER, False, SECOND + 1_000_000))

    def test_rest(self) -> None:
        """Fewer bytes than a number has are told, and so is a reset."""
        line = Line().open().say(CLIENT, START + b"ab").segment(CLIENT, RST | ACK)
        talk = only(line).facts
        self.assertEqual([one.kind for one in talk.messages], ["start", "rest"])
        self.assertTrue(talk.closed.reset)

    def test_gap(self) -> None:
        """After a gap the numbers are cut where they begin."""
        line = Line().open().say(CLIENT, START).segment(CLIENT, 0x18, RESET[2:] + RESET, skip=6).close()
        application = only(line)
        self.assertEqual([one.kind for one in application.facts.messages], ["start", "rest", "reset"])
        self.assertEqual(application.faults[0].kind, "gap")


class TextTests(SynchronousTestCase):
    """Short texts, on the watchdog's port."""

    def test_texts(self) -> None:
        """Each segment is a sign of life."""
        line = Line(3000).open().say(CLIENT, b"ACK", b"got ping").wait(10 * SECOND).close(SERVER)
        application = only(line)
        self.assertEqual((application.protocol, application.known_by), ("watchdog", "port"))
        self.assertEqual([one.text for one in application.facts.messages], ["ACK", "got ping"])
        self.assertEqual(application.facts.silence, 10 * SECOND + 1_000_000)
