"""``netlab upper`` as a person and as a script run it: what is on stdout and stderr, to the byte, and the exit code."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.command import NETLAB, PATIENCE, Result, at_terminal, environment, interrupted, netlab
from tests.daemons import Daemon
from tests.parts import temporary_folder

ENDPOINTS = "give HOST:PORT, :PORT, or a Twisted one such as unix:/path, tls:host:port"


class UpperCase(SynchronousTestCase):
    """A test with a server, and a command that plays against it."""

    def serve(self, *options: str) -> Daemon:
        """Have a daemon until the test ends."""
        listen = "tcp:0:interface=127.0.0.1"
        daemon = Daemon(temporary_folder(self), "netlab-upper", "--listen", listen, *options)
        self.addCleanup(daemon.__exit__)
        self.peer = f"127.0.0.1:{daemon.port}"
        return daemon

    def answer(self, behaviour: Callable[[socket.socket], None]) -> None:
        """Have one connection of a server that does something else."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.peer = f"127.0.0.1:{listener.getsockname()[1]}"

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                behaviour(connection)

        threading.Thread(target=serve, daemon=True).start()

    def upper(self, *words: str, **more: str) -> Result:
        """Play against the server."""
        result = netlab("upper", "--connect", self.peer, *words, **more)
        self.assertNotIn("Traceback", result.stderr)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        return result

    def shows(self, result: Result, *lines: str) -> None:
        """The command went well, and this is on stdout, less the time it took."""
        self.assertEqual((result.stderr, result.returncode), ("", 0))
        shown = re.sub(r", \d+\.\d\d s\)$", ", T s)", result.stdout, flags=re.MULTILINE)
        self.assertEqual(shown, "".join(f"{{{self.peer}}} {line}\n" for line in lines))

    def fails(self, result: Result, error: str, code: int = 1) -> None:
        """The command failed, with one line on stderr."""
        self.assertEqual((result.returncode, result.stderr), (code, f"netlab upper: {error}\n"))


class StoryTests(UpperCase):
    """What a person sees."""

    def test_session(self) -> None:
        """The default: two messages, each answered, and the server's close."""
        self.serve()
        self.shows(
            self.upper(),
            "Connection established",
            "Sent 35 bytes: hello from the networks laboratory!",
            "Got 35 bytes: HELLO FROM THE NETWORKS LABORATORY!",
            "Sent 20 bytes: and a second message",
            "Got 20 bytes: AND A SECOND MESSAGE",
            "Got the end of the stream",
            "Connection closed by the peer after 55 bytes (55 bytes sent, T s)",
        )

    def test_own_parts(self) -> None:
        """The message, its number, and how it is read are the user's."""
        self.serve("--variant", "v1")
        words = ("--message", "ab", "--times", "2", "--reads", "enough", "--read-size", "1")
        self.shows(
            self.upper("--variant", "v1", *words),
            "Connection established",
            *["Sent 2 bytes: ab"] * 2,
            *["Got 1 byte: A", "Got 1 byte: B"] * 2,
            "Connection closed here after 4 bytes (4 bytes sent, T s)",
        )

    def test_two(self) -> None:
        """A second message has a text of its own, or ours."""
        self.serve("--variant", "v1")
        self.assertIn("Sent 3 bytes: yes\n", self.upper("--variant", "v1", "--two", "yes").stdout)
        self.assertIn("Sent 20 bytes: and a second message\n", self.upper("--variant", "v1", "--two").stdout)

    def test_closes(self) -> None:
        """Each way to close is told, and what it makes the kernel send."""
        self.serve("--variant", "v3", "--repeat", "2")
        words = ("--variant", "v1", "--message", "ab", "--read-size", "2")
        for close, lines in (
            ("unread", ["More has come, and stays unread",
                        "Connection closed here after 2 bytes with 2 unread, which sends a RST (2 bytes sent, T s)"]),
            ("half", ["Ended the sending, which sends a FIN", "Got 2 bytes: AB", "Got the end of the stream",
                      "Connection closed by the peer after 4 bytes (2 bytes sent, T s)"]),
        ):  # fmt: skip
            played = self.upper(*words, "--close", close)
            self.shows(played, "Connection established", "Sent 2 bytes: ab", "Got 2 bytes: AB", *lines)
        played = self.upper(*words, "--reads", "2", "--close", "abort")
        self.shows(
            played,
            "Connection established",
            "Sent 2 bytes: ab",
            *["Got 2 bytes: AB"] * 2,
            "Closing without a goodbye",
            "Connection aborted here after 4 bytes, which sends a RST (2 bytes sent, T s)",
        )

    def test_reset_by_peer(self) -> None:
        """A reset is told with what came before; it is an ending, not a failure."""

        def answer_and_reset(connection: socket.socket) -> None:
            connection.recv(2)
            connection.sendall(b"HELLO")  # closing with data unread resets

        self.answer(answer_and_reset)
        played = self.upper("--variant", "v1", "--reads", "end")
        self.assertEqual((played.returncode, played.stderr), (0, ""))
        self.assertRegex(played.stdout.splitlines()[-1], r"Connection reset by peer after [05] bytes \(13 bytes sent")

    def test_late_answer(self) -> None:
        """How long an answer took is told when it is long."""
        self.serve("--variant", "v4", "--delay", "0.2")
        self.assertRegex(self.upper("--variant", "v4").stdout, r"Got 520 bytes after 0\.\d\d s: HELLO, WORLD!")

    def test_hostile_answer(self) -> None:
        """What a server sends reaches no terminal as a command, and a long answer is cut."""
        self.answer(lambda connection: connection.sendall(b"\x1b]0;owned\x07\x9b\r\n" * 100))
        code, seen = at_terminal("upper", "--connect", self.peer, "--variant", "v1", NO_COLOR="1")
        self.assertEqual(code, 0)
        self.assertIn(r"\x1b]0;owned\x07\x9b\r\n", seen)
        self.assertIn("…", seen)
        self.assertTrue(seen.replace("\n", "").isprintable())

    def test_colour(self) -> None:
        """A person at a terminal sees what was said apart from what was done; NO_COLOR is honoured."""
        self.serve("--variant", "v1")
        words = ("upper", "--connect", self.peer, "--variant", "v1")
        self.assertIn("\x1b[2m", at_terminal(*words)[1])
        self.assertNotIn("\x1b", at_terminal(*words, NO_COLOR="1")[1])


class JsonTests(UpperCase):
    """What a machine is given."""

    def test_object(self) -> None:
        """One object with all there is to know."""
        self.serve("--variant", "v3")
        played = self.upper("--variant", "v3", "--json")
        self.assertEqual((played.stderr, played.returncode, played.stdout.count("\n")), ("", 0, 1))
        fields = json.loads(played.stdout)
        self.assertLess(fields.pop("seconds"), PATIENCE)
        text = fields.pop("text")
        self.assertEqual((text[:13], len(text)), ("HELLO, WORLD!", 1001))
        self.assertEqual(
            fields,
            {
                "peer": self.peer,
                "sends": 1,
                "sent": 13,
                "read_calls": 2,
                "reads": [1024, 1024],
                "received": 2048,
                "unread": 10_952,
                "ending": "closed",
                "sends_reset": True,
                "words": "closed here after 2,048 bytes with 10,952 unread, which sends a RST",
            },
        )

    def test_many_reads(self) -> None:
        """However much is read, the object stays small."""
        self.serve("--variant", "v3")
        played = self.upper("--variant", "v3", "--json", "--read-size", "5", "--reads", "2000", "--close", "polite")
        fields = json.loads(played.stdout)
        self.assertEqual((fields["read_calls"], len(fields["reads"])), (2000, 1000))
        self.assertLess(len(played.stdout), 10_000)


class ErrorTests(UpperCase):
    """What goes wrong is one line on stderr."""

    def test_refused(self) -> None:
        """Nothing listens there."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.peer = f"127.0.0.1:{listener.getsockname()[1]}"
        hint = "start a server with: twistd -n netlab-upper, or name one with --connect"
        self.fails(self.upper(), f"nothing listens on {self.peer} ({hint})")

    def test_silent(self) -> None:
        """A server that does not answer is not waited for for ever, and what was done before is shown."""
        self.serve("--variant", "v4")
        played = self.upper("--variant", "v1", "--timeout", "0.2")
        why = "nothing came from the server for 0.2 s, after 0 bytes received, 13 sent"
        self.fails(played, f"{self.peer}: {why} (--timeout allows longer)")
        self.assertIn("Sent 13 bytes", played.stdout)

    def test_nothing_to_leave(self) -> None:
        """Who wants to leave bytes unread and has read all there are is told; with nothing read it works."""
        self.serve("--variant", "v1")
        played = self.upper("--variant", "v1", "--close", "unread", "--timeout", "0.2")
        why = "nothing came that could be left unread for 0.2 s, after 13 bytes received, 13 sent"
        self.fails(played, f"{self.peer}: {why} (--timeout allows longer)")
        played = self.upper("--variant", "v1", "--close", "unread", "--reads", "0")
        self.assertIn("closed here after 0 bytes with 13 unread, which sends a RST", played.stdout)

    def test_usage(self) -> None:
        """What cannot be played is refused before anything is sent."""
        self.peer = "127.0.0.1:1"
        for words, line in (
            (("--reads", "some"), "invalid value for '--reads': 'some' is no number, nor enough, nor end"),
            (("--timeout", "nan"), "invalid value for '--timeout': 'nan' is no number of seconds above 0"),
            (("--message", ""), "invalid value for '--message': nothing to send: a message has at least one byte"),
            (("--two", ""), "invalid value for '--two': nothing to send: a message has at least one byte"),
            (("--read-size", "0"), "invalid value for '--read-size': 0 is not in the range 1<=x<=1048576"),
            (("--times", "0"), "invalid value for '--times': 0 is not in the range 1<=x<=1000000000"),
            (("--connect", "what"), f"--connect 'what' is no endpoint; {ENDPOINTS}"),
        ):  # fmt: skip
            played = netlab("upper", *words)
            self.fails(played, f"{line} (see netlab upper --help)", 2)

    def test_interrupted(self) -> None:
        """Ctrl+C ends it at once, and silently."""
        self.serve("--variant", "v4")
        command = [*NETLAB, "upper", "--connect", self.peer, "--variant", "v1"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        ) as process:
            assert process.stdout is not None
            self.assertIn("established", process.stdout.readline())
            self.assertEqual(interrupted(process), (130, ""))

    def test_not_utf8(self) -> None:
        """Bytes that a shell gives are sent as they are."""
        self.serve("--variant", "v1")
        played = self.upper("--variant", "v1", "--message", "a\udcffb")
        self.assertIn(r"Got 3 bytes: A\xffB", played.stdout)
