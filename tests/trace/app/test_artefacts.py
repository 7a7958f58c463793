"""What the capturing and the kernel did, and not the programs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.app.artefacts import Artefact
from tests.trace.app.messages import request, response
from tests.trace.app.talking import CLIENT, SERVER, Line, capture, found, found_in, talk
from tests.trace.frames import ACK, SYN

MSS_1460 = bytes.fromhex("020405b4")
MICROSECOND = 1_000


def artefacts(line: Line, kind: str) -> list[Artefact]:
    """Those of a kind."""
    return [one for one in found(line).artefacts if one.kind == kind]


class ArtefactTests(SynchronousTestCase):
    """Each kind, and what is none."""

    def test_offloading(self) -> None:
        """A segment longer than the MSS less its options never was one packet."""
        line = (
            Line()
            .open(MSS_1460)
            .say(CLIENT, bytes(1460), bytes(1461))
            .segment(CLIENT, ACK, bytes(1449), options=bytes(12))
        )
        (artefact,) = artefacts(line, "larger_than_mss")
        self.assertEqual((artefact.frames, artefact.sender, artefact.count), ((5, 6), CLIENT, 2))
        self.assertEqual(artefact.numbers, {"mss": 1460, "room": 1448, "largest": 1461})

    def test_loopback(self) -> None:
        """The MSS of loopback is explained by what it is the difference of; any other is the network's."""
        for mss, packet, headers in ((65_495, 65_535, 40), (65_476, 65_536, 60)):
            line = Line().open(b"\x02\x04" + mss.to_bytes(2, "big")).say(CLIENT, b"hello").close()
            (artefact,) = artefacts(line, "loopback_mss")
            self.assertEqual((artefact.frames, artefact.conversation), ((1,), 0))
            self.assertEqual(artefact.numbers, {"mss": mss, "packet": packet, "headers": headers})
            self.assertEqual(packet - headers, mss)
        self.assertEqual(artefacts(Line().open(MSS_1460).close(), "loopback_mss"), [])

    def test_missing_frames(self) -> None:
        """What one side acknowledges and the capture has not got was not caught."""
        line = Line().open().say(CLIENT, b"hello", b"not caught")
        line.frames.pop()
        (artefact,) = artefacts(line.segment(SERVER, ACK), "missing_frames")
        self.assertEqual((artefact.frames, artefact.sender, artefact.count), ((5,), CLIENT, 1))

    def test_one_sided(self) -> None:
        """Acknowledgments of a side that said nothing: its direction is not in the capture; an unanswered SYN is."""
        line = Line().segment(CLIENT, ACK, b"hello").segment(CLIENT, ACK, b"again")
        (artefact,) = artefacts(line, "one_sided")
        self.assertEqual((artefact.frames, artefact.sender), ((), SERVER))
        self.assertEqual(artefacts(Line().segment(CLIENT, SYN).segment(CLIENT, SYN), "one_sided"), [])

    def test_nagle(self) -> None:
        """What leaves with the ACK, three times as long as the segment before, was held back."""
        line = Line().open().say(CLIENT, b"a" * 130).wait(40_000_000).segment(SERVER, ACK)
        line.wait(20 * MICROSECOND - 1_000_000).say(CLIENT, b"a" * 390)
        (artefact,) = artefacts(line.say(SERVER, b"A" * 520).close(), "sends_together")
        self.assertEqual((artefact.frames, artefact.sender), ((6,), CLIENT))
        self.assertEqual(
            {name: artefact.numbers[name] for name in ("messages", "alike", "nagle")},
            {"messages": 3, "alike": 1, "nagle": 1},
        )
        self.assertEqual((artefact.numbers["waited"], artefact.numbers["before"]), (20_000, 130))

    def test_not_held_back(self) -> None:
        """Messages in one segment that did not wait for an ACK are told without a reason."""
        asked = request("1 + 2")
        line = talk((CLIENT, asked + asked), (SERVER, response(asked) * 2))
        sent = artefacts(line, "sends_together")
        self.assertEqual(
            [(one.sender, one.numbers) for one in sent],
            [(CLIENT, {"messages": 2, "alike": 0, "nagle": 0}), (SERVER, {"messages": 2, "alike": 0, "nagle": 0})],
        )

    def test_twice(self) -> None:
        """Every packet twice is the capture's doing; a few are the network's."""
        line = talk((CLIENT, b"hello"), (SERVER, b"there"))
        both = [(time + more, data) for time, data in line.frames for more in (0, 5 * MICROSECOND)]
        (artefact,) = [one for one in found_in(capture(both)).artefacts if one.kind == "captured_twice"]
        self.assertEqual(
            artefact.numbers,
            {"interface": 0, "pairs": len(line.frames), "packets": 2 * len(line.frames), "apart": 5000},
        )
        some = [
            *line.frames,
            (line.frames[3][0] + 5000, line.frames[3][1]),
            (line.frames[4][0] + 5000, line.frames[4][1]),
        ]
        self.assertEqual([one for one in found_in(capture(some)).artefacts if one.kind == "captured_twice"], [])
