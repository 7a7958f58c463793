"""What is read and written as text: policies, notes, timelines, and the system's table of sockets."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from netlab.watchdog.errors import NoNote
from netlab.watchdog.kin import Process
from netlab.watchdog.liveness import Life
from netlab.watchdog.notes import Ended, Expired, Finish, Note, Refused, Request, read_note, write_note
from netlab.watchdog.pipes import Notes
from netlab.watchdog.policy import Backoff, Kind, Policy, read_policy
from netlab.watchdog.sockets import Place, Socket, find_socket
from netlab.watchdog.started import how_ended
from netlab.watchdog.timeline import Timeline, named, names

#: As proc(5) shows them on a little-endian machine: 127.0.0.1:3000 and :50820, and ::1 the same.
FOUR = (
    "   1: 0100007F:C684 0100007F:0BB8 01 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 20 4 30 10 -1"
)
SIX = (
    "   0: 00000000000000000000000001000000:C684 00000000000000000000000001000000:0BB8 01 00000000:00000000 "
    "00:00000000 00000000     0        0 4343 1 0 20 0 0 10 -1"
)
MAPPED = (
    "   0: 0000000000000000FFFF00000100007F:C684 0000000000000000FFFF00000100007F:0BB8 01 00000000:00000000 "
    "00:00000000 00000000     0        0 4444 1 0 20 0 0 10 -1"
)
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"


class PolicyTests(SynchronousTestCase):
    """``--on-expiry``, and how often something is started again."""

    def test_read(self) -> None:
        """Three words, and a command with its arguments."""
        self.assertEqual(read_policy("kill"), Policy(Kind.KILL))
        self.assertEqual(read_policy("exec:mail -s 'it is silent' me").command, ("mail", "-s", "it is silent", "me"))
        for text in ("log", "kill", "restart", "exec:a 'b c'"):
            self.assertEqual(str(read_policy(text)), text)

    def test_refused(self) -> None:
        """Anything else is none, and a command must be one."""
        for text in ("", "exec", "exec:", "exec:  ", "exec:'", "KILL", "kill 1"):
            self.assertRaises(ValueError, read_policy, text)

    def test_backoff(self) -> None:
        """The first time at once, then slower and slower, and at once again when it has been well for long."""
        backoff, words = Backoff(memory=60.0, most=30.0), (b"x",)
        now, waits = 0.0, []
        for _ in range(8):
            waits.append(backoff.wait(words, now))
            now += waits[-1] + 10.0
        self.assertEqual(waits, [0, 1, 2, 4, 8, 16, 30, 30])
        self.assertEqual(backoff.wait((b"y",), now), 0)
        self.assertEqual(backoff.wait(words, now + 100), 0)


class NoteTests(SynchronousTestCase):
    """Lines between a program and its watchdog."""

    def test_round_trip(self) -> None:
        """Each note comes out as it went in."""
        notes: list[Note] = [
            Request(1.5, "8.8.8.8: seq=7"),
            Finish("SIGINT"),
            Expired(),
            Refused("no such file", found=False),
            Ended(-9, expired=True, killed=True),
        ]
        self.assertEqual([read_note(write_note(note)) for note in notes], notes)

    @given(st.binary(max_size=100))
    def test_junk(self, line: bytes) -> None:
        """What is none is refused by our own error."""
        self.assertRaises(NoNote, read_note, line)

    def test_wrong_values(self) -> None:
        """Neither is a signal that no terminal sends, a text without end, or a field too many."""
        for line in (
            b'{"note": "finish", "signal": "SIGKILL"}',
            b'{"note": "request", "at": 1.0, "text": "%s"}' % (b"x" * 300),
            b'{"note": "expired", "more": 1}',
            b'{"note": "nothing"}',
            b"[" * 10_000,
        ):
            self.assertRaises(NoNote, read_note, line)


class PipeTests(SynchronousTestCase):
    """The pipes that notes go through."""

    def test_held(self) -> None:
        """Requests do not pile up for a side that does not read; what it must know does reach it."""
        notes, transport = Notes(lambda _: None, lambda: None), StringTransport()
        notes.makeConnection(transport)
        transport.producer.pauseProducing()
        for number in range(1_000):
            notes.tell(Request(float(number), "seq"))
        notes.tell(Finish("SIGTERM"))
        self.assertEqual(transport.value(), write_note(Finish("SIGTERM")))
        transport.clear()
        transport.producer.resumeProducing()
        notes.tell(Request(1.0, "seq"))
        self.assertEqual(read_note(transport.value()), Request(1.0, "seq"))


class TimelineTests(SynchronousTestCase):
    """What happened, for a person."""

    def test_lines(self) -> None:
        """In the order of time, counted from the origin, or from what was before it."""
        timeline = Timeline(100.0)
        timeline.note(111.5, "SIGTERM", "process 7 (ping)")
        timeline.tell_life(Life(100.0, 100.0, 101.5, 2), 111.5, 10.0)
        timeline.note(103.0, "last request", "seq=3")
        self.assertEqual(
            timeline.lines(),
            [
                "     0.000 s  start         asked to be watched",
                "     1.500 s  last reply    sign of life number 2",
                "     3.000 s  last request  seq=3",
                "    11.500 s  SIGTERM       process 7 (ping)",
                "    11.500 s  deadline      nothing came for 10 s",
            ],
        )

    def test_many(self) -> None:
        """Of a program that starts one after another, the beginning and the end are told, and how much was between."""
        timeline = Timeline(0.0)
        for number in range(1_000):
            timeline.note(float(number), "exit", f"process {number}")
        lines = timeline.lines()
        self.assertEqual(len(lines), 61)
        self.assertEqual((lines[0].split()[-1], lines[-1].split()[-1]), ("0", "999"))
        self.assertEqual(lines[30].strip(), "and 940 more")

    def test_before(self) -> None:
        """No time is negative."""
        timeline = Timeline(100.0)
        timeline.note(99.5, "last request")
        timeline.note(100.0, "start")
        self.assertEqual(timeline.lines(), ["     0.000 s  last request", "     0.500 s  start"])

    def test_names(self) -> None:
        """A process may call itself what it likes; a terminal obeys none of it; of many, some are named."""
        everyone = [Process(number, 1, 1, 1, "S", "\x1b[2J") for number in range(1, 8)]
        self.assertEqual(named(everyone[0]), "process 1 (?[2J)")
        self.assertTrue(names(everyone).endswith("process 4 (?[2J) and 3 more"))


class StatusTests(SynchronousTestCase):
    """How a program ended."""

    def test_words(self) -> None:
        """By itself, by a signal, and by one of those that have no names."""
        ends = {0: "status 0", 7: "status 7", -9: "SIGKILL", -15: "SIGTERM", -40: "signal 40", -63: "signal 63"}
        self.assertEqual({status: how_ended(status) for status in ends}, ends)


class SocketTests(SynchronousTestCase):
    """``/proc/net/tcp`` and ``tcp6``."""

    def found(self, host: str, *lines: str) -> Socket | None:
        return find_socket([HEAD, *lines], Place(host, 50_820), Place(host, 3000))

    def test_found(self) -> None:
        """By both its ends, in either file."""
        self.assertEqual(self.found("127.0.0.1", FOUR), Socket(1000, 4242))
        self.assertEqual(self.found("::1", FOUR, SIX), Socket(0, 4343))

    def test_mapped(self) -> None:
        """An IPv4 connection may be seen as IPv6, and told as either."""
        self.assertEqual(self.found("127.0.0.1", MAPPED), Socket(0, 4444))
        self.assertEqual(self.found("::ffff:127.0.0.1", FOUR), Socket(1000, 4242))

    def test_other_end(self) -> None:
        """The watchdog's own socket, the same the other way round, is not the peer's; nor is another port's."""
        self.assertIsNone(find_socket([FOUR], Place("127.0.0.1", 3000), Place("127.0.0.1", 50_820)))
        self.assertIsNone(find_socket([FOUR], Place("127.0.0.1", 50_821), Place("127.0.0.1", 3000)))
        self.assertIsNone(find_socket([FOUR], Place("nowhere", 50_820), Place("nowhere", 3000)))

    def test_closed(self) -> None:
        """A socket that nobody has open any more has no number."""
        self.assertIsNone(self.found("127.0.0.1", FOUR.replace(" 4242 ", " 0 ")))

    def test_loopback(self) -> None:
        """Only there nobody else's machine can be."""
        hosts = {"127.0.0.1": True, "127.9.9.9": True, "::1": True, "::ffff:127.0.0.1": True}
        hosts |= {"10.0.0.1": False, "8.8.8.8": False, "fe80::1%eth0": False, "junk": False}
        self.assertEqual({host: Place(host, 1).is_loopback for host in hosts}, hosts)
