"""Events as lines, steps as shell commands, the message that asks for a cable, and the chart: values only."""

import json
from struct import unpack_from

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab import events, steps
from netlab.lab.cable import cable_request, error_of
from netlab.lab.commenting import commented
from netlab.lab.errors import BadBundle
from netlab.lab.events import Event
from netlab.lab.report.chart import WAYS, taken
from netlab.trace.passage import VERDICTS
from netlab.trace.reading import Trace
from tests.trace.report.golden import CAPTURES

TEXTS = st.text(max_size=200)
EVENTS = st.builds(Event, st.integers(0, 2**62), TEXTS, st.sampled_from(events.KINDS), TEXTS)


class EventTests(SynchronousTestCase):
    """The file of events."""

    @given(st.lists(EVENTS, max_size=20))
    def test_round_trip(self, many: list[Event]) -> None:
        """What is written is read, in the order of time."""
        self.assertEqual(list(events.read(events.written(many))), sorted(many, key=lambda one: one.time))

    @given(st.text(max_size=200))
    def test_junk(self, text: str) -> None:
        """Anything else is refused as no bundle."""
        try:
            list(events.read(text))
        except BadBundle:
            return
        self.assertEqual(text, "")

    def test_hostile(self) -> None:
        """Deep, wrong and endless lines are refused."""
        good = {"time": "1.000000000", "source": "a", "kind": "log", "text": "b"}
        wrong = [{**good, "kind": "other"}, {**good, "text": 1}, {**good, "time": "x.1"}, {**good, "text": "x" * 9_999}]
        for line in ("[" * 100_000, "null", *map(json.dumps, wrong)):
            self.assertRaises(BadBundle, lambda line=line: list(events.read(line)))
        self.assertRaises(BadBundle, lambda: list(events.read((json.dumps(good) + "\n") * (events.MAX_EVENTS + 1))))


class StepTests(SynchronousTestCase):
    """What people read of a step."""

    def test_shell(self) -> None:
        """The steps are lines for a shell, quoted, and what is stopped is the job that it was there."""
        many = (
            steps.Serve("server", "netlab-calc", ("--x", "a b")),
            steps.Serve("proxy", "netlab-proxy"),
            steps.Run("client", ("netlab", "calc", "1 + 1")),
            steps.Stop("server"),
            steps.Pause(1),
            steps.Run("ping", ("netlab", "ping"), background=True),
            steps.Join("ping"),
            steps.Stop("proxy"),
        )
        expected = "twistd -n netlab-calc --x 'a b' &|twistd -n netlab-proxy &|netlab calc '1 + 1'|kill %1|sleep 1"
        expected += "|netlab ping &|wait %3|kill %2"
        self.assertEqual(steps.shell_lines(many), expected.split("|"))


class CableTests(SynchronousTestCase):
    """The words of rtnetlink."""

    def test_request(self) -> None:
        """The message says its own length, and has both names and the other network."""
        message = cable_request("near0", "far0", 7)
        self.assertEqual(unpack_from("=I", message)[0], len(message))
        for part in (b"near0\0", b"far0\0", b"veth", (7).to_bytes(4, "little")):
            self.assertIn(part, message)

    def test_answer(self) -> None:
        """The kernel's error number is given as it is, and anything else is an error too."""
        head = (36).to_bytes(4, "little") + (2).to_bytes(2, "little") + bytes(10)
        self.assertEqual(error_of(head + (-1).to_bytes(4, "little", signed=True)), 1)
        self.assertEqual(error_of(head + bytes(4)), 0)
        self.assertRaises(OSError, error_of, b"short")


class DrawingTests(SynchronousTestCase):
    """Charts and comments."""

    def test_ways(self) -> None:
        """Every verdict has a way that is part of the chart, and it begins at the client."""
        drawn = {way[:2] for way in WAYS}
        for verdict in VERDICTS:
            self.assertLessEqual(taken(verdict), drawn)
            self.assertIn(("client", "proxy"), taken(verdict))

    def test_comments(self) -> None:
        """Comments are added, and nothing else of a capture changes."""
        before = (CAPTURES / "calc.pcapng").read_bytes()
        after = commented(before, {2: ["one", "two"], 3: ["three"]}, "about")
        old, new = Trace([before]), Trace([after])
        for packet, other in zip(old.packets(), new.packets(), strict=True):
            self.assertEqual(packet._replace(comments=()), other._replace(comments=()))
            if packet.number == 2:
                self.assertEqual(other.comments, (*packet.comments, "one", "two"))
        self.assertEqual(new.file.comments, ["about"])
        self.assertIsNone(new.damage)
