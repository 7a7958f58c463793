"""The layout of ladders: lanes, columns, pauses, arrows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.facts import Endpoint
from netlab.trace.ladder.columns import columns_of
from netlab.trace.ladder.layout import MAX_PACKETS, Arrow, Aside, Ladder, Pause, ladder_of
from tests.trace.frames import ACK, CONVERSATION, RST, SYN, A, B, back, ethernet, ipv4, tcp, there, traced


def between(client: int, server: int, bits: int = SYN, *, answer: bool = False) -> bytes:
    """A segment from a client's port to a server's, or the other way, on one machine."""
    ports = (server, client) if answer else (client, server)
    return ethernet(ipv4(tcp(bits, 1, 2 if bits & ACK else 0, ports=ports), source=A, destination=A))


def ladder(*frames: bytes, step: int = 1_000_000, **more: dict[Endpoint, Endpoint]) -> Ladder:
    """The ladder of ``frames``, ``step`` nanoseconds apart."""
    return ladder_of(traced(frames, step=step)[0], **more)  # type: ignore[arg-type]


def ports(found: Ladder) -> list[tuple[int | None, int]]:
    """Port and column of each lane."""
    return [(lane.endpoint.port, lane.column) for lane in found.lanes]


class LayoutTests(SynchronousTestCase):
    """What stands where."""

    def test_loopback(self) -> None:
        """Two programs of one machine have a lane each; who calls stands left."""
        found = ladder(between(80, 5000, SYN | ACK), between(5000, 80, ACK))
        self.assertEqual(ports(found), [(80, 1), (5000, 0)])

    def test_part(self) -> None:
        """Of a conversation whose beginning is not shown the client stands left all the same, if it is known."""
        answer = between(5000, 80, ACK, answer=True)
        packets, _ = traced((answer,))
        for clients, expected in (({}, [(80, 0), (5000, 1)]), ({0: 1}, [(80, 1), (5000, 0)])):
            self.assertEqual(ports(ladder_of(packets, clients=clients)), expected)

    def test_arrows(self) -> None:
        """An arrow says who sent, when, what, and what is odd."""
        found = ladder(*CONVERSATION[:4], there(24, 101, 501, b"hello"), back(RST, 501))
        arrows = [row for row in found.rows if isinstance(row, Arrow)]
        self.assertEqual([(row.source, row.target) for row in arrows], [(0, 1), (1, 0), (0, 1), (0, 1), (0, 1), (1, 0)])
        self.assertEqual([row.frame for row in arrows], [1, 2, 3, 4, 5, 6])
        self.assertEqual(arrows[3].label, "PSH ACK Seq=1 Ack=1 Len=5")
        self.assertEqual(arrows[4].marks, ("TCP Retransmission",))
        self.assertEqual([row.reset for row in arrows], [False] * 5 + [True])
        self.assertEqual(arrows[5].time, 5_000_000)

    def test_pauses(self) -> None:
        """A pause that is long for this ladder has a row; short ones have none."""
        self.assertEqual(sum(isinstance(row, Pause) for row in ladder(*CONVERSATION, step=900_000).rows), 0)
        self.assertEqual(sum(isinstance(row, Pause) for row in ladder(*CONVERSATION, step=10**9).rows), 9)

    def test_turns(self) -> None:
        """Clients that come one after another take turns in a column; the server keeps its own."""
        frames = [between(port, 80, SYN) for port in range(5000, 5010) for _ in range(2)]
        found = ladder(*frames)
        self.assertEqual(found.columns, 2)
        self.assertEqual({column for port, column in ports(found) if port != 80}, {0})
        self.assertEqual([lane.leads for lane in found.lanes].count(True), 2)
        for place, row in enumerate(found.rows):
            if isinstance(row, Arrow):
                self.assertIn(found.lanes[row.source], found.alive(place))
                self.assertIn(found.lanes[row.target], found.alive(place))

    def test_together(self) -> None:
        """Clients that overlap stand beside one another."""
        opening = [between(port, 80, SYN) for port in range(5000, 5006)]
        found = ladder(*opening, *opening)
        self.assertEqual(found.columns, 7)

    def test_proxy(self) -> None:
        """A proxy's ports upstream are its own lane, which stands between client and server."""
        frames = (between(5000, 9998), between(6000, 9999), between(6000, 9999, ACK, answer=True))
        found = ladder(*frames, programs={Endpoint(A, 6000): Endpoint(A, 9998)})
        self.assertEqual(sorted(ports(found), key=lambda one: one[1]), [(5000, 0), (9998, 1), (9999, 2)])

    def test_circle(self) -> None:
        """Two that call each other are laid out too."""
        found = ladder(between(1, 2), between(2, 1))
        self.assertEqual(sorted(column for _, column in ports(found)), [0, 1])

    def test_aside(self) -> None:
        """What has no addresses stands beside the lanes."""
        (row,) = ladder(ethernet(b"\1\2\3\4", 0x88CC)).rows
        self.assertEqual(row, Aside(1, 0, "LLDP"))

    def test_limit(self) -> None:
        """Beyond the limit packets are counted."""
        found = ladder(*[there(SYN, 100)] * (MAX_PACKETS + 5))
        self.assertEqual((found.left_out, sum(isinstance(row, Arrow) for row in found.rows)), (5, MAX_PACKETS))

    def test_nothing(self) -> None:
        """No packets, no lanes."""
        self.assertEqual(ladder_of([]), Ladder((), 0, (), 0))

    @given(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20),
        st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(sorted).map(tuple), min_size=10, max_size=10),
        st.integers(1, 12),
    )
    def test_columns(self, calls: list[tuple[int, int]], spans: list[tuple[int, int]], most: int) -> None:
        """Whatever calls whom, lanes in one column never overlap."""
        places = columns_of(calls, spans, most)
        for one in range(10):
            for two in range(one):
                if places[one] == places[two]:
                    self.assertTrue(spans[one][1] < spans[two][0] or spans[two][1] < spans[one][0])

    def test_addresses(self) -> None:
        """Without ports a lane is a machine."""
        found = ladder(ethernet(ipv4(b"\x08\0\0\0\x12\x34\0\7ping", 1)))
        self.assertEqual([lane.endpoint for lane in found.lanes], [Endpoint(A, None), Endpoint(B, None)])
