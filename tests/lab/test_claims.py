"""Claims over captures that are known: pure, no network."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.claim import DISPROVED, PROVED, UNTOLD, Claim, Judgement
from netlab.lab.claims import calc, echo, tcp, upper, watchdog
from netlab.lab.errors import BadBundle
from netlab.lab.events import ERROR, Event
from netlab.lab.evidence import MAX_PACKETS, Evidence, analysed
from netlab.lab.words.loading import language
from netlab.trace.closing import RESET_AFTER_CLOSE, RESET_UNREAD
from netlab.trace.passage import HIT, MISS
from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header
from netlab.trace.words.sentence import said
from tests.trace.report.golden import CAPTURES

ANY = said("anything")


def evidence(name: str, roles: dict[int, str] | None = None, events: tuple[Event, ...] = ()) -> Evidence:
    """What is in one of the captures of the tests."""
    return analysed([(CAPTURES / f"{name}.pcapng").read_bytes()], roles or {}, events)


class ClaimTests(SynchronousTestCase):
    """Verdicts with frames and reasons."""

    def judge(self, claim: Claim, found: Evidence, verdict: str) -> Judgement:
        """See the verdict."""
        judged = claim.judged(found)
        self.assertEqual(judged.verdict, verdict, str(judged.reason))
        return judged

    def test_session(self) -> None:
        """Arithmetic of a session; one acknowledgment travels on an answer, and the count says so."""
        found = evidence("upper-session")
        self.assertEqual(self.judge(tcp.packet_count(12345, 2), found, PROVED).frames, tuple(range(1, 14)))
        self.assertEqual(self.judge(tcp.handshake(12345), found, PROVED).frames, (1, 2, 3))
        self.judge(tcp.data_sums(12345), found, PROVED)
        self.assertEqual(self.judge(tcp.fin_sums(12345), found, PROVED).frames, (11, 12, 13))
        self.judge(tcp.closes_first(12345, tcp.SERVER), found, PROVED)
        self.judge(tcp.closes_first(12345, tcp.CLIENT), found, DISPROVED)
        self.judge(tcp.packet_count(12345, 3), found, DISPROVED)

    def test_resets(self) -> None:
        """Two kinds of RST are not taken for one another."""
        for name, cause, other in (
            ("upper-v2", RESET_AFTER_CLOSE, RESET_UNREAD),
            ("upper-v3", RESET_UNREAD, RESET_AFTER_CLOSE),
        ):
            found = evidence(name)
            self.judge(tcp.ends(5050, cause, tcp.CLIENT, ANY), found, PROVED)
            self.judge(tcp.ends(5050, other, tcp.CLIENT, ANY), found, DISPROVED)
            self.judge(tcp.ends(5050, cause, tcp.SERVER, ANY), found, DISPROVED)

    def test_uppercase(self) -> None:
        """Texts, amounts, delays."""
        found = evidence("upper-v4")
        self.judge(upper.spoken(5050, "Hello, World!" * 40), found, PROVED)
        self.judge(upper.spoken(5050, "Hello, World?" * 40), found, DISPROVED)
        self.judge(upper.spoken(5050, "Hello, World!" * 40, 2), found, DISPROVED)
        self.judge(upper.delayed(5050, 5.0, 0.5), found, PROVED)
        self.judge(upper.delayed(5050, 4.0, 0.5), found, DISPROVED)
        self.judge(upper.late_fin(5050, 5.0, 0.5), found, PROVED)
        self.judge(upper.pieces(5050, tcp.CLIENT, (130, 390)), found, DISPROVED)
        self.judge(upper.amount(5050, 13_000), evidence("upper-v3"), PROVED)

    def test_other_port(self) -> None:
        """A capture of something else disproves that the server is here, and leaves the rest untold."""
        found = evidence("upper-v1")
        self.judge(tcp.connected(5050), found, PROVED)
        self.judge(tcp.connected(5051), found, DISPROVED)
        self.judge(tcp.handshake(5051), found, UNTOLD)

    def test_proxy(self) -> None:
        """What the proxy did, in order."""
        found = evidence("proxy", {9998: "proxy", 9999: "server"})
        verdicts = [one.verdict for one in sorted(found.findings.passages, key=lambda one: one.request.first)]
        self.judge(calc.verdicts(9998, verdicts), found, PROVED)
        self.judge(calc.verdicts(9998, [MISS, HIT]), found, DISPROVED)
        self.judge(calc.refused(9999), found, PROVED)

    def test_lengths(self) -> None:
        """The lengths of protocols.md follow from the daemon's own arithmetic."""
        self.assertEqual(calc.lengths("max(2, 3) + 3"), (376, 60))
        long = "(sin(max(2, 3 * 4, 5, 6 * ((7 * 8) / 9), 10 / 11)) / 12) * 13"
        self.assertEqual(calc.lengths(long), (687, 564))

    def test_ping(self) -> None:
        """Echoes, as many as there are; two programs that count from 1 are seen to be none of ours."""
        found = evidence("ping")
        sent = echo.session(found).sent
        self.judge(echo.sequences(sent), found, DISPROVED)
        self.judge(echo.pairs(sent), found, PROVED)
        self.judge(echo.identifiers(), found, DISPROVED)
        self.judge(echo.pairs(sent + 1), found, DISPROVED)

    def test_watchdog(self) -> None:
        """Messages, the end, and a timeline in its order."""
        found = evidence("watchdog")
        self.judge(watchdog.started(3000), found, PROVED)
        self.judge(watchdog.ended(3000, 2.0, 0.5), found, PROVED)
        self.judge(watchdog.ended(3000, 3.0, 0.5), found, DISPROVED)
        lines = ["netlab watchdog:      0.000 s  start  x", "netlab watchdog:      1.0 s  deadline  nothing came"]
        events = tuple(Event(place, "ping", ERROR, line) for place, line in enumerate(lines))
        told = evolve(found, events=events)
        proof = self.judge(watchdog.in_order("ping", ("start", "deadline")), told, PROVED)
        self.assertIn("The timeline: 0.000 s start, 1.0 s deadline.", language("en").say(proof.reason))
        self.judge(watchdog.in_order("ping", ("deadline", "start")), told, DISPROVED)
        self.judge(watchdog.in_order("ping", ("start", "exit")), told, DISPROVED)

    def test_untold(self) -> None:
        """Without a capture, and where the evidence makes no sense, nothing is told."""
        nothing = analysed(None, {}, ())
        self.judge(tcp.connected(1), nothing, UNTOLD)

        def fails(_: Evidence) -> Judgement:
            raise KeyError("x")

        self.judge(Claim("x", ANY, fails), evidence("upper-v1"), UNTOLD)

    def test_too_many_packets(self) -> None:
        """A capture that is far longer than an experiment's is refused, and not read to its end."""
        packet = enhanced_packet(1, bytes(60))
        blocks = [section_header(), interface_description(1), *([packet * 1000] * (MAX_PACKETS // 1000 + 1))]
        self.assertRaises(BadBundle, analysed, blocks, {}, ())
