"""The access log as a file: lines in their order, gathered for a while, within a bound of bytes."""

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.web.access_file import AccessFile
from netlab.web.access_log import Asked, Combined, Exchange
from tests.parts import temporary_folder

NOON = 1_800_000_000.0
PEER = "127.0.0.1:5"


class AccessFileTests(SynchronousTestCase):
    """On a clock, and a real file."""

    def setUp(self) -> None:
        self.path = temporary_folder(self) / "access"
        self.clock = Clock()
        self.log = AccessFile(str(self.path), Combined(), self.clock)
        self.log.privilegedStartService()
        self.addCleanup(self.log.stopService)

    def lines(self) -> list[str]:
        return Path(self.path).read_text().splitlines()

    def test_order(self) -> None:
        """Lines of requests stay between those of their connection, and are all there half a second later."""
        asked = Asked(b"GET / HTTP/1.1", 200, 5, None, b"me")
        self.log.opened(PEER, NOON)
        self.log.exchange(Exchange(PEER, NOON, asked))
        self.log.exchange(Exchange("[::1]:6", NOON + 1, asked))
        self.log.closed(PEER, NOON + 1, 1, "timeout!")
        self.assertEqual(self.lines(), [])
        self.clock.advance(0.5)
        self.assertEqual(
            self.lines(),
            [
                "# [15/Jan/2027:08:00:00 +0000] 127.0.0.1:5 opened",
                '127.0.0.1 - - [15/Jan/2027:08:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "me"',
                '::1 - - [15/Jan/2027:08:00:01 +0000] "GET / HTTP/1.1" 200 5 "-" "me"',
                "# [15/Jan/2027:08:00:01 +0000] 127.0.0.1:5 closed after 1 request: timeout!",
            ],
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounded(self) -> None:
        """What waits is written before it is much, whichever part of a request is long."""
        for field in range(3):
            parts = [b"x" * 10_000 if place == field else b"y" for place in range(3)]
            before = len(self.lines())
            for _ in range(8):
                self.log.exchange(Exchange(PEER, NOON, Asked(parts[0], 200, 5, parts[1], parts[2])))
            self.assertGreater(len(self.lines()), before)
            self.clock.advance(0.5)
