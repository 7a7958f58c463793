"""The language of filters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.choosing import Chosen
from netlab.trace.filter_terms import PLAIN, VALUES, WITH_VALUE
from netlab.trace.filtering import MAX_DEPTH, MAX_LENGTH, FilterError, choice_of
from netlab.trace.reading import Trace
from tests.trace.frames import CONVERSATION, PSH, SYN, capture, ethernet, ipv4, tcp, there, udp

FRAMES = [
    *CONVERSATION[:4],
    there(PSH, 101, 0, b"hello"),
    ethernet(ipv4(udp(b"question"), 17)),
    ethernet(ipv4(b"\x08\0\0\0\x12\x34\0\7ping", 1)),
    ethernet(ipv4(tcp(SYN, 5, ports=(9, 9999)), source="192.168.0.7")),
    ethernet(b"\1\2\3\4", 0x88CC),
]

#: Texts that are almost filters.
WORDS = st.lists(st.sampled_from([*PLAIN, *WITH_VALUE, "and", "or", "not", "(", ")", "5"]), max_size=12).map(" ".join)


def chosen(text: str) -> list[int]:
    """The packets of `FRAMES` that a filter chooses."""
    return [packet.number for packet in Chosen(Trace([capture(FRAMES)]), choice_of(text)).packets()]


class FilterTests(SynchronousTestCase):
    """What is chosen."""

    def test_terms(self) -> None:
        """Each word."""
        cases = {
            "port 80": [1, 2, 3, 4, 5],
            "port 1-60": [6, 8],
            "port 9999,53": [6, 8],
            "conversation 1": [8],
            "udp-conversation 0": [6],
            "frame 2-3,9": [2, 3, 9],
            "frame 8-": [8, 9],
            "frame -2": [1, 2],
            "host 192.168.0.0/16": [8],
            "from 10.0.0.2": [2],
            "to 10.0.0.1": [2],
            "flag retransmission": [5],
            "flag any": [5],
            "flag Lost-Segment": [],
            "length 5": [4, 5],
            "protocol lldp": [9],
            "tcp and data": [4, 5],
            "udp": [6],
            "icmp": [7],
            "arp or flawed or comment": [],
            "syn": [1, 2, 8],
            "syn and ack": [2],
            "fin or rst": [],
        }
        for text, frames in cases.items():
            self.assertEqual(chosen(text), frames, text)

    def test_logic(self) -> None:
        """``not`` binds most, ``or`` least, brackets more than all; case does not matter."""
        self.assertEqual(chosen("not tcp"), [6, 7, 9])
        self.assertEqual(chosen("not not udp"), [6])
        self.assertEqual(chosen("udp or tcp and syn"), [1, 2, 6, 8])
        self.assertEqual(chosen("(udp or tcp) and syn"), [1, 2, 8])
        self.assertEqual(chosen("NOT(tcp OR udp)AND ICMP"), [7])

    def test_conversations(self) -> None:
        """With a packet its whole conversation is told, and no other."""
        found = Chosen(Trace([capture(FRAMES)]), choice_of("frame 1"))
        self.assertEqual(len(list(found.packets())), 1)
        self.assertEqual([one.number for one in found.conversations()], [0])
        self.assertEqual(found.datagram_conversations(), ())

    def test_errors(self) -> None:
        """A filter that cannot be understood says where."""
        cases = {
            "": (0, "something is missing"),
            "prot 80": (0, "did you mean port"),
            "zzzz": (0, "there are: ack"),
            "port": (4, "port needs numbers"),
            "port http": (5, "not 'http'"),
            "port 80-90-99": (5, "numbers"),
            "port ²": (5, "numbers"),
            "tcp udp": (4, "put and or or before 'udp'"),
            "tcp and": (7, "something is missing"),
            "(tcp": (4, "a ) is missing"),
            "tcp)": (3, "one ) too many"),
            "host 10.0.0": (5, "an address"),
            "flag retransmit": (5, "one of"),
            "not": (3, "something is missing"),
            "port and tcp": (5, "port needs"),
        }
        for text, (place, words) in cases.items():
            error = self.assertRaises(FilterError, choice_of, text)
            self.assertIn(words, str(error), text)
            self.assertEqual(error.place, place, text)
            self.assertEqual(error.caret.split("\n")[1], " " * place + "^")

    def test_limits(self) -> None:
        """Neither depth nor length costs more than an error."""
        self.assertEqual(chosen("(" * MAX_DEPTH + "udp" + ")" * MAX_DEPTH), [6])
        self.assertRaises(FilterError, choice_of, "(" * (MAX_DEPTH + 1) + "udp" + ")" * (MAX_DEPTH + 1))
        self.assertRaises(FilterError, choice_of, "a" * (MAX_LENGTH + 1))
        self.assertEqual(chosen("not " * 400 + "udp"), [6])

    @given(st.text(max_size=60) | WORDS)
    def test_junk(self, text: str) -> None:
        """Any text is a filter, or is refused with our error."""
        try:
            chosen(text)
        except FilterError as error:
            self.assertLessEqual(error.place, len(text))

    def test_values_are_explained(self) -> None:
        """Each word that needs a value says which."""
        self.assertEqual(set(VALUES), set(WITH_VALUE))
