"""Sentences of packets and conversations: their arithmetic is right."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace import passage
from netlab.trace.closing import CERTAIN, Closing, Evidence, Remark
from netlab.trace.facts import Endpoint, Flaw
from netlab.trace.flags import WIRESHARK_NAMES, Flag
from netlab.trace.words import closings, passages, talks
from netlab.trace.words.artefacts import ARTEFACTS
from netlab.trace.words.conversations import conversation_sentences
from netlab.trace.words.flags import flag_sentence
from netlab.trace.words.loading import LANGUAGES, language
from netlab.trace.words.packets import FLAWS, PacketTeller
from netlab.trace.words.people import Who
from netlab.trace.words.sentence import Sentence
from tests.trace.frames import ACK, CONVERSATION, FIN, PSH, RST, SYN, A, B, back, ethernet, ipv4, there, traced, udp

TRACE = Path(__file__).resolve().parents[3] / "netlab/trace"


class AnyNumber(dict[str, int]):
    """Numbers of every name."""

    def __missing__(self, key: str) -> int:
        return 3


def told(frames: Iterable[bytes], roles: dict[int | Endpoint, str] | None = None) -> list[list[str]]:
    """The English sentences of each packet."""
    teller, words = PacketTeller(roles or {}), language("en")
    return [[words.say(sentence) for sentence in teller.sentences(packet)] for packet in traced(frames)[0]]


class SegmentTests(SynchronousTestCase):
    """A TCP connection, packet by packet."""

    def test_conversation(self) -> None:
        """From the SYN to the last ACK."""
        found = told(CONVERSATION)
        self.assertEqual(
            found[0], ["The client asks for a connection: SYN. Its numbers begin with Seq 0 (really 100)."]
        )
        self.assertIn("Ack 1 = Seq 0 + 1, because the SYN counts as one.", found[1])
        self.assertEqual(found[2][0], "The handshake is complete: each side knows where the other's numbers begin.")
        self.assertEqual(found[3], ["The client sends 5 bytes, Seq 1 to 5; its next is Seq 6."])
        self.assertEqual(
            found[4], ["Ack 6 = Seq 1 + 5 bytes received.", "That acknowledges packet 4, 1.000 ms after it."]
        )
        self.assertEqual(found[5], ["The server sends 10 bytes, Seq 1 to 10; its next is Seq 11."])
        self.assertEqual(found[7], ["The client has nothing more to send: FIN. It counts as one: Seq 6 + 1 = 7."])
        self.assertIn("Ack 7 = Seq 6 + 1, because the FIN counts as one.", found[8])

    def test_data_with_fin(self) -> None:
        """The ACK of data and FIN counts both."""
        found = told([*CONVERSATION[:3], there(FIN | ACK, 101, 501, b"x"), back(ACK, 501, 103), back(ACK, 501, 103)])
        self.assertEqual(found[3][0], "The client sends 1 byte, Seq 1; its next is Seq 2.")
        self.assertEqual(found[4][0], "Ack 3 = Seq 1 + 1 byte received + 1 for the FIN.")

    def test_resets(self) -> None:
        """A refusal, an abort, and the answer of one who knows nothing of it."""
        (_, refused) = told([there(SYN, 100), back(RST | ACK, 0, 101)])
        self.assertEqual(
            refused[0],
            "The server refuses: RST instead of SYN and ACK. As a rule no program listens on port 80.",
        )
        aborted = told([*CONVERSATION[:3], there(RST | ACK, 101, 501)])[3]
        self.assertIn("The client resets the connection: RST.", aborted[0])
        closed = told(
            [*CONVERSATION[:3], there(FIN | ACK, 101, 501), back(PSH | ACK, 501, 102, b"late"), there(RST, 102)]
        )
        self.assertIn("The client has closed, so that nobody there reads what came: RST. Its Seq 2 is", closed[5][0])
        unknown = told([*CONVERSATION[:3], back(RST, 501)])[3]
        self.assertIn("Its Seq 1 is the Ack of what it answers.", unknown[0])

    def test_middle(self) -> None:
        """A capture that began later is told by addresses, and its first Ack says what it means."""
        (found,) = told([there(PSH | ACK, 101, 501, b"hello")])
        self.assertEqual(found[0], "10.0.0.1:1000 sends 5 bytes, Seq 1 to 5; its next is Seq 6.")
        self.assertEqual(found[1], "Ack 1: everything before this number has come.")

    def test_roles(self) -> None:
        """A name that was given takes the place of the client's or the server's."""
        found = told(CONVERSATION[:2], {80: "proxy", Endpoint(A, 1000): "browser"})
        self.assertTrue(found[0][0].startswith("“browser” asks"))
        self.assertTrue(found[1][0].startswith("“proxy” accepts"))

    def test_overtaken(self) -> None:
        """An ACK that is older than the last."""
        found = told([*CONVERSATION[:5], back(ACK, 501, 103)])
        self.assertIn("Ack 3 is less than Ack 6 was: it was overtaken.", found[5])

    def test_passed_over(self) -> None:
        """What is not told is known all the same: the numbers of a part are those of the whole."""
        packets, _ = traced(CONVERSATION)
        words, whole, part = language("en"), PacketTeller({}), PacketTeller({})
        for packet in packets:
            text = [words.say(sentence) for sentence in whole.sentences(packet)]
            if packet.number in (3, 5, 10):
                self.assertEqual([words.say(sentence) for sentence in part.sentences(packet)], text)
            else:
                part.pass_over(packet)

    def test_ends_at_the_last_number(self) -> None:
        """Numbers begin anew after 2³² − 1."""
        top = 2**32 - 3
        found = told([there(SYN, top), back(SYN | ACK, 9, top + 1), there(ACK, top + 1, 10, b"12345")])
        self.assertIn("The client sends 5 bytes, Seq 1 to 5; its next is Seq 6.", found[2])


class OtherTests(SynchronousTestCase):
    """What is not TCP, and what is wrong with packets."""

    def test_protocols(self) -> None:
        """UDP, echoes and errors."""
        echo = ethernet(ipv4(b"\x08\0\0\0\x12\x34\0\7ping", 1))
        error = ethernet(ipv4(b"\3\3\0\0\0\0\0\0" + ipv4(udp(b"x"), 17), 1, B, A))
        found = told([ethernet(ipv4(udp(b"question"), 17)), echo, error])
        self.assertEqual(found[0], ["10.0.0.1:53 sends 10.0.0.2:5353 a datagram of 8 bytes."])
        self.assertEqual(found[1], ["10.0.0.1 asks 10.0.0.2 for an echo of 4 bytes: number 7."])
        self.assertEqual(found[2][0], "10.0.0.2 tells 10.0.0.1: nothing listens on that port.")
        self.assertEqual(found[2][1], "That is about a packet of UDP from 10.0.0.1:53 to 10.0.0.2:5353.")


class EveryKindTests(SynchronousTestCase):
    """Whatever the facts can say can be said, in every language."""

    def say(self, sentence: Sentence) -> None:
        """It is a sentence without holes."""
        for code in LANGUAGES:
            text = language(code).say(sentence)
            self.assertTrue(text)
            self.assertNotIn("{", text)

    def test_flags(self) -> None:
        """Every analysis flag."""
        numbers = AnyNumber()
        for kind in WIRESHARK_NAMES:
            self.say(flag_sentence(Flag(kind, numbers)))
            self.say(flag_sentence(Flag(kind, AnyNumber(timeout=0))))

    def test_closings(self) -> None:
        """Every cause, every confidence, every kind of evidence and remark."""
        pair = (Who("A", "a"), Who("B", "b"))
        for cause in closings.CAUSES:
            for confidence in closings.CONFIDENCE:
                evidence = tuple(Evidence(1, what) for what in closings.EVIDENCE)
                remarks = tuple(Remark(kind, AnyNumber(by=1)) for kind in closings.REMARKS)
                for one in closings.ending(Closing(cause, confidence, 1, evidence, AnyNumber(), remarks), pair):
                    self.say(one)
        (only,) = closings.ending(Closing("open", CERTAIN, None, (), {}), pair)
        self.say(only)

    def test_flaws(self) -> None:
        """Every flaw."""
        for kind, tell in FLAWS.items():
            self.say(tell(Flaw(kind, AnyNumber())))
            self.say(tell(Flaw(kind, AnyNumber(more=0))))

    def test_conversation(self) -> None:
        """A paragraph says who opened, what went each way, and why it ended."""
        _, trace = traced(CONVERSATION)
        (conversation,) = trace.conversations()
        text = " ".join(map(language("en").say, conversation_sentences(conversation, {})))
        for words in (
            "The client is 10.0.0.1:1000, the server 10.0.0.2:80",
            "The handshake (packets 1, 2, 3) took 2.000 ms.",
            "The client sent 6 packets, 5 bytes of data in all.",
            "The client closed first, and the server did so 1.000 ms later",
            "That is certain; it is shown by packet 8 (FIN), packet 9 (the ACK to the FIN)",
        ):
            self.assertIn(words, text)

    def test_programs(self) -> None:
        """Every kind that the readers of programs make has a sentence, and so has every verdict."""
        made: dict[str, set[str]] = {name: set() for name in ("Proof", "Sign", "Artefact", "Joined", "add", "lose")}
        sources = [*(TRACE / "app").glob("*.py"), *TRACE.glob("pa*.py")]
        for node in (node for path in sources for node in ast.walk(ast.parse(path.read_text("utf-8")))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name, kind = ast.unparse(node.func).rpartition(".")[2], node.args[0].value
                if name in made and isinstance(kind, str):
                    made[name].add(kind)
        self.assertTrue(all(made.values()), made)
        self.assertLessEqual(made["Proof"], set(passages.PROOFS))
        self.assertLessEqual(made["Sign"] - talks.TOLD_ELSEWHERE, set(talks.SIGNS))
        self.assertEqual(made["Artefact"] | made["Joined"], set(ARTEFACTS))
        self.assertLessEqual(made["add"] | made["lose"], set(talks.FAULTS))
        self.assertEqual(set(passage.VERDICTS), set(passages.VERDICTS))
        self.assertEqual(set(passages.CONFIDENCE), set(closings.CONFIDENCE))
