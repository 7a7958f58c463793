"""Why connections end: each cause produced on purpose with real sockets on two kernels, and named."""

from __future__ import annotations

import contextlib
import socket
import threading

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace import closing
from netlab.trace.closing import Closing
from netlab.trace.facts import Conversation
from netlab.trace.opening import blocks_of
from netlab.trace.reading import Trace
from tests.parts import temporary_folder
from tests.trace import plays
from tests.trace.frames import ACK, CONVERSATION, FIN, PSH, RST, SYN, back, there, traced
from tests.trace.plays import receive, reset_on_close
from tests.trace.wire import Frame, Rule, Wire, require_wire


class RealEndingTests(SynchronousTestCase):
    """Two kernels, and what their programs do."""

    def setUp(self) -> None:
        """A wire needs root."""
        require_wire()

    def ending(self, play: plays.Play, rule: Rule | None = None, end: int = 0) -> tuple[Closing, Conversation]:
        """How the first conversation of ``play`` ended, as it was seen at ``end``."""
        wire = Wire(rule)
        try:
            play(wire)
            wire.settle()
        finally:
            wire.close()
        trace = Trace(blocks_of(str(wire.write(temporary_folder(self) / "capture", end))))
        for _ in trace.packets():
            pass
        conversation = trace.conversations()[0]
        return conversation.closing, conversation

    def test_polite(self) -> None:
        """FIN from one, then from the other, both acknowledged."""
        found, conversation = self.ending(plays.question_and_answer)
        self.assertEqual((found.cause, found.confidence, found.by), (closing.POLITE, closing.CERTAIN, 0))
        self.assertEqual([shown.what for shown in found.evidence], ["fin", "fin_ack", "fin", "fin_ack"])
        self.assertEqual(conversation.completeness, 31)

    def test_refused(self) -> None:
        """Nobody listens."""

        def play(wire: Wire) -> None:
            with self.assertRaises(ConnectionRefusedError):
                wire.hosts[0].call(lambda: wire._connect(9, 0))

        found, _ = self.ending(play)
        self.assertEqual((found.cause, found.confidence, found.by), (closing.REFUSED, closing.CERTAIN, 1))

    def test_unanswered(self) -> None:
        """No SYN arrives: the kernel tries again, the program knows nothing of it."""
        tried: list[Frame] = []
        again = threading.Event()

        def rule(frame: Frame) -> list[tuple[float, bytes]] | None:
            if not frame.is_tcp:
                return None
            tried.append(frame)
            if len(tried) == 2:
                again.set()
            return []

        def play(wire: Wire) -> None:
            with wire.hosts[0].call(socket.socket) as client:
                client.setblocking(False)
                client.connect_ex((wire.hosts[1].address, 7000))
                self.assertTrue(again.wait(10))

        found, _ = self.ending(play, rule)
        self.assertEqual((found.cause, found.by, found.numbers["attempts"]), (closing.UNANSWERED, None, 2))
        (remark,) = found.remarks
        self.assertEqual((remark.kind, remark.numbers["by"], remark.numbers["count"]), ("syn_retries", 0, 1))
        self.assertEqual(remark.numbers["waited"], found.numbers["waited"])

    def test_late_opening(self) -> None:
        """A SYN that had to be sent again is remarked on, however well it all went afterwards."""
        found, _ = self.ending(plays.question_and_answer, plays.once(lambda frame: bool(frame.bits & SYN), plays.drop))
        self.assertEqual((found.cause, found.remarks[0].kind), (closing.POLITE, "syn_retries"))

    def test_data_after_close(self) -> None:
        """The server closes, and then the client sends: what comes back is not from the program."""

        def play(wire: Wire) -> None:
            client, server = wire.connect()
            client.sendall(b"hello")
            receive(server, 5)
            server.close()
            wire.settle()
            client.sendall(b"anybody there?")
            wire.settle()
            client.close()

        found, _ = self.ending(play)
        self.assertEqual((found.cause, found.confidence, found.by), (closing.RESET_AFTER_CLOSE, closing.CERTAIN, 1))
        self.assertEqual(found.numbers["bytes"], 14)

    def test_unread(self) -> None:
        """The client reads 2,048 of 13,000 bytes and closes, as the uppercase lab's third variant does."""

        def play(wire: Wire) -> None:
            client, server = wire.connect()
            client.sendall(b"Hello, World!")
            receive(server, 13)
            server.sendall(b"HELLO, WORLD!" * 1_000)
            wire.settle()
            client.recv(1_024)
            client.recv(1_024)
            client.close()
            wire.settle()
            server.close()

        found, _ = self.ending(play)
        self.assertEqual((found.cause, found.confidence, found.by), (closing.RESET_UNREAD, closing.LIKELY, 0))
        self.assertEqual((found.numbers["received"], found.numbers["unanswered"]), (13_000, 13_000))

    def test_unread_request(self) -> None:
        """A server that closes without having read the request."""

        def play(wire: Wire) -> None:
            client, server = wire.connect()
            client.sendall(b"hello")
            wire.settle()
            server.close()
            wire.settle()
            client.close()

        found, _ = self.ending(play)
        self.assertEqual((found.cause, found.by, found.numbers["unanswered"]), (closing.RESET_UNREAD, 1, 5))

    def test_abort(self) -> None:
        """A program that wants no FIN, after everything it got was answered."""

        def play(wire: Wire) -> None:
            client, server = wire.connect()
            client.sendall(b"hello")
            receive(server, 5)
            reset_on_close(client)
            client.close()
            wire.settle()
            server.close()

        found, _ = self.ending(play)
        self.assertEqual((found.cause, found.confidence, found.by), (closing.ABORT, closing.LIKELY, 0))

    def test_abort_after_the_answer(self) -> None:
        """The same after a short answer looks like an answer that was not read, and that is said."""

        def play(wire: Wire) -> None:
            client, server = wire.connect()
            client.sendall(b"hello")
            receive(server, 5)
            server.sendall(b"world")
            receive(client, 5)
            reset_on_close(client)
            client.close()
            wire.settle()
            server.close()

        found, _ = self.ending(play)
        self.assertEqual((found.cause, found.confidence, found.by), (closing.ABORT, closing.POSSIBLE, 0))
        self.assertEqual([remark.kind for remark in found.remarks], ["looks_like_unread"])

    def test_time_out(self) -> None:
        """A server that waits one second for more, and closes: with FIN, or with RST."""

        def play(wire: Wire, *, resets: bool) -> None:
            client, server = wire.connect()
            client.sendall(b"hello")
            receive(server, 5)
            server.sendall(b"world")
            receive(client, 5)
            server.settimeout(1.0)
            with contextlib.suppress(TimeoutError):
                server.recv(1)
            if resets:
                reset_on_close(server)
            server.close()
            wire.settle()
            client.close()

        for resets in (False, True):
            found, _ = self.ending(lambda wire, resets=resets: play(wire, resets=resets))
            self.assertEqual((found.cause, found.by, found.numbers["seconds"]), (closing.TIMEOUT, 1, 1))

    def test_half_closed(self) -> None:
        """One side has said all it has to say, and the other goes on until the capture ends."""

        def play(wire: Wire) -> None:
            client, server = wire.connect()
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            receive(server, 6)
            server.sendall(b"still here")
            receive(client, 10)
            wire.settle()
            self.addCleanup(client.close)
            self.addCleanup(server.close)

        found, _ = self.ending(play)
        self.assertEqual((found.cause, found.by), (closing.HALF_CLOSED, 0))

    def test_half_open(self) -> None:
        """The client's RST is lost: to the server the connection lives until a stranger answers what it sends."""
        lost: list[Frame] = []

        def rule(frame: Frame) -> list[tuple[float, bytes]] | None:
            if frame.is_tcp and frame.bits & RST and not lost:
                lost.append(frame)
                return []
            return None

        def play(wire: Wire) -> None:
            client, server = wire.connect()
            client.sendall(b"hello")
            receive(server, 5)
            wire.settle()
            reset_on_close(client)
            client.close()
            wire.settle()
            server.sendall(b"still there?")
            wire.settle()
            server.close()

        found, _ = self.ending(play, rule, end=1)
        self.assertEqual((found.cause, found.by), (closing.HALF_OPEN, 0))

    def test_vanished(self) -> None:
        """A cable is cut: one side sends again and again."""
        cut: list[bool] = []

        def play(wire: Wire) -> None:
            client, server = wire.connect()
            client.sendall(b"hello")
            receive(server, 5)
            cut.append(True)
            server.sendall(b"is anybody there?")
            wire.await_frames(1, 4)
            self.addCleanup(client.close)
            self.addCleanup(server.close)

        found, _ = self.ending(play, lambda frame: [] if cut else None, end=1)
        self.assertEqual((found.cause, found.confidence, found.by), (closing.HALF_OPEN, closing.POSSIBLE, 0))
        self.assertGreaterEqual(found.numbers["retries"], 2)

    def test_unfinished_handshake(self) -> None:
        """The SYN-ACK never arrives."""

        def play(wire: Wire) -> None:
            listener = wire.hosts[1].call(lambda: wire._listen(7000, 0))
            client = wire.hosts[0].call(socket.socket)
            with listener, client:
                client.setblocking(False)
                client.connect_ex((wire.hosts[1].address, 7000))
                wire.settle(0.2)

        found, _ = self.ending(play, lambda frame: [] if frame.bits & 0x12 == 0x12 else None, end=1)
        self.assertEqual(found.cause, closing.UNFINISHED_HANDSHAKE)


class HandmadeEndingTests(SynchronousTestCase):
    """Endings that kernels are hard to bring to."""

    def ending(self, *frames: bytes, step: int = 1_000_000) -> Closing:
        """How a conversation of these frames ended."""
        _, trace = traced(frames, step=step)
        return trace.conversations()[0].closing

    def test_open(self) -> None:
        """A capture that ends first."""
        found = self.ending(*CONVERSATION[:7])
        self.assertEqual((found.cause, found.by, found.numbers), (closing.OPEN, None, {"lasted": 6_000_000}))

    def test_simultaneous(self) -> None:
        """Both close before they know that the other did."""
        found = self.ending(
            *CONVERSATION[:7],
            there(FIN | ACK, 106, 511),
            back(FIN | ACK, 511, 106),
            there(ACK, 107, 512),
            back(ACK, 512, 107),
        )
        self.assertEqual((found.cause, found.remarks[0].kind), (closing.POLITE, "simultaneous_close"))

    def test_reset_after_the_end(self) -> None:
        """An RST after both FINs changes nothing about the cause."""
        found = self.ending(*CONVERSATION, there(RST, 107))
        self.assertEqual((found.cause, found.remarks[0].kind), (closing.POLITE, "reset_after_end"))

    def test_scan(self) -> None:
        """A SYN-ACK that is answered by RST: somebody only wanted to know whether the port is open."""
        found = self.ending(there(SYN, 100), back(SYN | ACK, 500, 101), there(RST, 101))
        self.assertEqual((found.cause, found.by), (closing.UNFINISHED_HANDSHAKE, 0))

    def test_unread_on_loopback(self) -> None:
        """There 13,000 bytes are one segment, and no answer that a client reads at once."""
        answer = back(PSH | ACK, 501, 106, bytes(13_000))
        found = self.ending(*CONVERSATION[:5], answer, there(ACK, 106, 13_501), there(RST | ACK, 106, 13_501))
        self.assertEqual((found.cause, found.by, found.numbers["unanswered"]), (closing.RESET_UNREAD, 0, 13_000))

    def test_half_close_is_no_close(self) -> None:
        """Data after a FIN that is acknowledged was read; the RST after it has another reason."""
        found = self.ending(
            *CONVERSATION[:5],
            there(FIN | ACK, 106, 501),
            back(ACK, 501, 107, b"0123456789"),
            there(ACK, 107, 511),
            back(ACK, 511, 107, b"0123456789"),
            there(RST | ACK, 107, 511),
        )
        self.assertNotEqual(found.cause, closing.RESET_AFTER_CLOSE)
