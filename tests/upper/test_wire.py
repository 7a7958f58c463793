"""Each server and its client, and what the kernel saw of them: who closes first, FIN or RST, bytes, times."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.command import netlab
from tests.daemons import Daemon
from tests.parts import temporary_folder
from tests.upper.wire import PATIENCE, Capture, Segment, own_loopback

PORT = 12345

#: Seconds that the tests take for V4's five.
DELAY = 0.4


def from_server(segment: Segment) -> bool:
    """Who sent it."""
    return segment.source == PORT


def both_fins(segments: list[Segment]) -> bool:
    """Both sides have ended their streams, and the second end is acknowledged."""
    ends = [number for number, segment in enumerate(segments) if "F" in segment.flags]
    return len(ends) > 1 and any("A" in segment.flags for segment in segments[ends[1] + 1 :])


def a_reset(segments: list[Segment]) -> bool:
    """One side has reset the connection."""
    return any("R" in segment.flags for segment in segments)


class WireTests(SynchronousTestCase):
    """The table of protocols.md §2, played by our daemon and our client on a loopback of their own."""

    def setUp(self) -> None:
        """Have a network, and watch it."""
        stack = ExitStack()
        self.addCleanup(stack.close)
        stack.enter_context(own_loopback())
        self.capture = stack.enter_context(Capture())
        self.stack = stack

    def play(self, variant: str, *words: str, options: tuple[str, ...] = ()) -> Daemon:
        """Start the server and play the client; the daemon, which runs on."""
        listen = f"tcp:{PORT}:interface=127.0.0.1"
        daemon = Daemon(temporary_folder(self), "netlab-upper", "--listen", listen, "--variant", variant, *options)
        self.stack.enter_context(daemon)
        played = netlab("upper", "--variant", variant, *words)
        self.assertEqual((played.returncode, played.stderr), (0, ""))
        self.story = played.stdout
        return daemon

    def seen(self, until: Callable[[list[Segment]], bool]) -> tuple[list[Segment], list[Segment]]:
        """What the client sent, and what the server sent."""
        segments = self.capture.until(until)
        return [one for one in segments if not from_server(one)], [one for one in segments if from_server(one)]

    def flagged(self, flag: str) -> list[bool]:
        """Of all segments with a flag, whether each was the server's."""
        return [from_server(segment) for segment in self.capture.segments if flag in segment.flags]

    def bytes_of(self, segments: list[Segment]) -> int:
        """The data in them."""
        return sum(segment.length for segment in segments)

    def test_session(self) -> None:
        """Two messages, each answered; then the server closes first, and nobody resets."""
        daemon = self.play("session")
        client, server = self.seen(both_fins)
        self.assertEqual(self.flagged("F"), [True, False])
        self.assertEqual(self.flagged("R"), [])
        self.assertEqual([segment.length for segment in client if segment.length], [35, 20])
        self.assertEqual([segment.length for segment in server if segment.length], [35, 20])
        self.assertIn("Connection closed by the peer after 55 bytes (55 bytes sent", self.story)
        daemon.wait_for(r"Connection closed here after 55 bytes \(55 bytes sent\)")

    def test_v1(self) -> None:
        """A plain exchange, which the client ends."""
        daemon = self.play("v1")
        client, server = self.seen(both_fins)
        self.assertEqual(self.flagged("F"), [False, True])
        self.assertEqual(self.flagged("R"), [])
        self.assertEqual((self.bytes_of(client), self.bytes_of(server)), (13, 13))
        self.assertIn("Got 13 bytes: HELLO, WORLD!\n", self.story)
        daemon.wait_for(r"Connection closed by the peer after 13 bytes \(13 bytes sent\)")

    def test_v2(self) -> None:
        """The first five bytes come at once, and what follows them meets a closed socket: a RST from the client."""
        # On a busy machine more can be there before the one read; it takes only the first piece here.
        daemon = self.play("v2", "--read-size", "5")
        client, server = self.seen(a_reset)
        self.assertEqual(set(self.flagged("R")), {False})
        self.assertEqual(self.bytes_of(client), 20)
        self.assertEqual(next(segment.length for segment in server if segment.length), 5)
        self.assertGreater(self.bytes_of(server), 5)
        self.assertIn("Got 5 bytes: WORLD\n", self.story)
        self.assertIn("Connection closed here after 5 bytes", self.story)
        daemon.wait_for(r"Connection (reset by peer|closed by the peer) after \d+ bytes")

    def test_v3(self) -> None:
        """The thousandfold answer is sent whole; a client that closes with most of it unread sends a RST and no FIN."""
        daemon = self.play("v3")
        client, server = self.seen(a_reset)
        self.assertEqual(self.flagged("R"), [False])
        self.assertEqual(self.flagged("F"), [])
        self.assertEqual((self.bytes_of(client), self.bytes_of(server)), (13, 13_000))
        self.assertEqual(self.story.count("Got 1,024 bytes"), 2)
        self.assertIn("closed here after 2,048 bytes with 10,952 unread, which sends a RST", self.story)
        daemon.wait_for(r"Connection reset by peer after 13 bytes \(13,000 bytes sent\)")
        self.assertNotIn("Traceback", daemon.log)

    def test_v4(self) -> None:
        """What arrives waits in the kernel and is answered together; the end of the stream waits, too."""
        self.play("v4", options=("--delay", str(DELAY)))
        client, server = self.seen(both_fins)
        self.assertEqual(self.flagged("F"), [False, True])
        self.assertEqual(self.flagged("R"), [])
        self.assertEqual(self.bytes_of(client), 520)
        answers = [segment for segment in server if segment.length]
        self.assertEqual([answer.length for answer in answers], [520])
        near = DELAY - 0.01  # two clocks
        self.assertGreater(answers[0].when - client[0].when, near)
        self.assertGreater(server[-1].when - answers[0].when, near)
        self.assertIn("Got 520 bytes after 0.", self.story)

    def test_half(self) -> None:
        """With --close half the client's FIN goes first, and every answer still comes."""
        self.play("v2", "--close", "half", options=("--no-delay",))
        _, server = self.seen(both_fins)
        self.assertEqual(self.flagged("F"), [False, True])
        self.assertEqual(self.flagged("R"), [])
        # Without Nagle's algorithm every piece goes out by itself.
        self.assertEqual([segment.length for segment in server if segment.length], [5, 5, 5, 5])
        self.assertIn("Connection closed by the peer after 20 bytes", self.story)

    def test_abort(self) -> None:
        """With --close abort there is a RST though everything was read."""
        daemon = self.play("v1", "--close", "abort")
        self.seen(a_reset)
        self.assertEqual(self.flagged("R"), [False])
        self.assertEqual(self.flagged("F"), [])
        self.assertIn("Connection aborted here after 13 bytes, which sends a RST", self.story)
        daemon.wait_for(r"Connection reset by peer after 13 bytes \(13 bytes sent\)")
        self.assertNotIn("Traceback", daemon.log)

    def test_nagle(self) -> None:
        """Pieces that are answered while an answer waits for its acknowledgement leave in one segment."""
        listen = f"tcp:{PORT}:interface=127.0.0.1"
        daemon = Daemon(temporary_folder(self), "netlab-upper", "--listen", listen, "--variant", "v2")
        self.stack.enter_context(daemon)
        # The client's kernel acknowledges after 40 ms; on a busy machine the server may need longer now and then.
        for _ in range(10):
            del self.capture.segments[:]
            with socket.create_connection(("127.0.0.1", PORT), PATIENCE) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
                client.sendall(b"World! Hello, World!")
                came = 0
                while came < 20:
                    came += len(client.recv(1024))
            _, server = self.seen(both_fins)
            if [segment.length for segment in server if segment.length] == [5, 15]:
                return
        self.fail(f"the answers came one by one: {server}")
