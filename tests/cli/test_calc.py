"""``netlab calc`` as a person and as a script run it: what is on stdout and stderr, to the byte, and the exit code."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from pathlib import Path
from typing import IO

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs import pickle_write
from netlab.calc.header import encode_packet
from netlab.calc.messages import Answer, Failure, Success
from tests.calc.peers import Behaviour, Server, closing, drain, dropping, ours, raw
from tests.cli.command import NETLAB, PATIENCE, Result, at_terminal, environment, interrupted, netlab
from tests.daemons import Daemon
from tests.parts import temporary_folder

QUESTIONS = """\
# a comment
max(2, 3) + 3

1 / 0  # an error
2 +
7
"""


def response(answer: Answer, status: int = 200) -> bytes:
    """A response in pickle."""
    return encode_packet(pickle_write.write_answer(answer), timestamp=0, status=status)


def resident(process: int) -> int:
    """Bytes of memory that a process has."""
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


class CalcCase(SynchronousTestCase):
    """A test with a server, and a command that asks it."""

    def serve(self, behaviour: Behaviour = ours) -> Server:
        """Have a server until the test ends."""
        server = Server(behaviour)
        server.__enter__()
        self.addCleanup(server.__exit__)
        self.peer = f"127.0.0.1:{server.port}"
        return server

    def calc(self, *words: str, stdin: str = "", **more: str) -> Result:
        """Ask that server."""
        result = netlab("calc", "--connect", self.peer, *words, stdin=stdin, **more)
        self.assertNotIn("Traceback", result.stderr)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        return result

    def story(self, *lines: str) -> str:
        """Lines, those that are of the connection with who is at its end."""
        return "".join(f"{re.sub('^@', f'{{{self.peer}}}', line)}\n" for line in lines)

    def fails(self, result: Result, error: str, code: int = 1) -> None:
        """The command failed, with one line on stderr."""
        self.assertEqual((result.returncode, result.stderr), (code, f"netlab calc: {error}\n"))


class AnswerTests(CalcCase):
    """One expression and its answer."""

    def setUp(self) -> None:
        """Have a server like our daemon."""
        self.serve()

    def shows(self, result: Result, *lines: str) -> None:
        """The command went well, and this is on stdout between the two ends of the connection."""
        self.assertEqual((result.stderr, result.returncode), ("", 0))
        self.assertEqual(result.stdout, self.story("@ Connection established", *lines, "@ Connection closed"))

    def test_as_the_old_client(self) -> None:
        """The answer is shown as the lab's old client showed it."""
        self.shows(
            self.calc("max(2, 3) + 3"),
            "@ Sending request of length 376 bytes",
            "@ Got response of length 60 bytes",
            "Result: 6",
            "Steps:",
            "max(2, 3) + 3 = 3 + 3",
            "              = 6",
        )

    def test_json_codec(self) -> None:
        """In the other codec only the lengths differ."""
        self.shows(
            self.calc("--codec", "json", "max(2, 3) + 3"),
            "@ Sending request of length 43 bytes",
            "@ Got response of length 67 bytes",
            "Result: 6",
            "Steps:",
            "max(2, 3) + 3 = 3 + 3",
            "              = 6",
        )

    def test_no_steps(self) -> None:
        """Without steps there is no word of them; a word after the expression can be an option."""
        self.shows(
            self.calc("2", "+", "3", "--no-steps"),
            "@ Sending request of length 262 bytes",
            "@ Got response of length 30 bytes",
            "Result: 5",
        )

    def test_minus_first(self) -> None:
        """An expression may begin with a minus, in all the ways that one comes to the command line."""
        for words, expected in (
            (("-pi",), "-3.141592653589793"),
            (("--", "-3"), "-3"),
            (("-3", "+", "1"), "-2"),
            (("--pi",), "3.141592653589793"),
            (("-", "3"), "-3"),
            (("--", "--3"), "3"),
            (("-(2 ** 2)",), "-4"),
        ):
            self.assertIn(f"Result: {expected}\n", self.calc(*words).stdout, words)

    def test_rand(self) -> None:
        """``rand`` carries a random state in pickle, as from old clients, and the server's own source decides."""
        result = self.calc("rand(1, 2)")
        self.assertRegex(result.stdout, r"Sending request of length [34]\d\d\d bytes")
        self.assertRegex(result.stdout, r"Result: 1\.\d+\n")

    def test_results(self) -> None:
        """Every kind of number is shown as Python shows it, large ones to the last digit."""
        for text, expected in (
            ("2 ** 16000", "30194693372392275795"),
            ("(-8) ** (1 / 3)", "(1.0000000000000002+1.7320508075688772j)"),
            ("1e308 * 10", "inf"),
            ("6 / 2", "3.0"),
        ):
            for codec in ("pickle", "json"):
                self.assertIn(f"Result: {expected}", self.calc("--no-steps", "--codec", codec, text).stdout)

    def test_steps_that_do_not_fit(self) -> None:
        """When steps were asked for and none came, that is said."""
        self.assertIn("Steps: not sent (", self.calc("--codec", "json", "+".join("1" * 350)).stdout)

    def test_machine(self) -> None:
        """With --json there is one object, and nothing else."""
        result = self.calc("--json", "--max-age", "60", "2 ** 100")
        found = json.loads(result.stdout)
        self.assertGreater(found.pop("timestamp"), 1_700_000_000)
        self.assertEqual(
            found,
            {
                "expression": "2 ** 100",
                "result": {"integer": str(2**100)},
                "steps": ["2 ** 100", str(2**100)],
                "status": 200,
                "cache": True,
                "max_age": "inf",
                "request_length": 263,
                "response_length": 90,
            },
        )
        self.assertEqual((result.stderr, result.returncode, result.stdout.count("\n")), ("", 0, 1))

    def test_machine_errors(self) -> None:
        """An error is an object as well; only the exit code tells it from a result."""
        result = self.calc("--json", "1 / 0")
        self.assertEqual((result.stderr, result.returncode), ("", 1))
        self.assertEqual(
            json.loads(result.stdout)["error"], {"type": "ZeroDivisionError", "message": "division by zero"}
        )
        result = self.calc("--json", "2 +")
        self.assertEqual((result.stderr, result.returncode), ("", 1))
        self.assertEqual(json.loads(result.stdout).keys(), {"expression", "error"})


class ManyTests(CalcCase):
    """Many expressions over one connection."""

    def blocks(self) -> str:
        """What the questions give."""
        return self.story(
            "@ Connection established",
            "",
            "Line 2: max(2, 3) + 3",
            "@ Sending request of length 376 bytes",
            "@ Got response of length 60 bytes",
            "Result: 6",
            "Steps:",
            "max(2, 3) + 3 = 3 + 3",
            "              = 6",
            "",
            "Line 4: 1 / 0",
            "@ Sending request of length 266 bytes",
            "@ Got response of length 80 bytes",
            "",
            "Line 5: 2 +",
            "",
            "Line 6: 7",
            "@ Sending request of length 67 bytes",
            "@ Got response of length 30 bytes",
            "Result: 7",
            "",
            "@ Connection closed",
        )

    def test_blocks(self) -> None:
        """From a file as from stdin: a block each, in order, errors with their line, one connection."""
        server = self.serve()
        file = temporary_folder(self) / "questions.txt"
        file.write_text(QUESTIONS)
        for count, words in enumerate((("--file", str(file)), ("-",)), 1):
            result = self.calc(*words, stdin=QUESTIONS)
            self.assertEqual(result.stdout, self.blocks())
            zero, syntax = result.stderr.splitlines()
            self.assertEqual(zero, "netlab calc: line 4: ZeroDivisionError: division by zero")
            self.assertIn("netlab calc: line 5: a number, a name or an opening bracket belongs here", syntax)
            self.assertEqual(result.returncode, 1)
            self.assertEqual(server.connections, count)

    def test_machine(self) -> None:
        """With --json an object a line, each with its line number."""
        self.serve()
        result = self.calc("--json", "-", stdin=QUESTIONS)
        found = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([item["line"] for item in found], [2, 4, 5, 6])
        self.assertEqual([item.get("result") for item in found], [6, None, None, 7])
        self.assertEqual((result.stderr, result.returncode), ("", 1))

    def test_many(self) -> None:
        """A thousand go as well, in order, and a success is an exit code of 0."""
        self.serve()
        result = self.calc("--json", "-", stdin="".join(f"{number} + 1\n" for number in range(1000)))
        self.assertEqual([json.loads(line)["result"] for line in result.stdout.splitlines()], [*range(1, 1001)])
        self.assertEqual((result.stderr, result.returncode), ("", 0))

    def test_deployed(self) -> None:
        """Deployed servers, which answer one of several requests at most, answer every line in the end."""
        for behaviour in (closing, dropping):
            self.serve(behaviour)
            result = self.calc("--json", "-", stdin="1 + 1\n2 + 2\n3 + 3\n4 + 4\n")
            self.assertEqual([json.loads(line)["result"] for line in result.stdout.splitlines()], [2, 4, 6, 8])
            self.assertEqual((result.stderr, result.returncode), ("", 0))

    def test_server_that_stops(self) -> None:
        """A server that stops in the middle: how far it came, what has no answer, and an object for each of those."""
        lines = "".join(f"{number} + 1\n" for number in range(500))
        error = r"netlab calc: {}: the connection ended after 100 of 500 expressions, line 101 was not answered: {}\n"
        file = temporary_folder(self) / "questions.txt"
        file.write_text(lines)
        servers: list[Server] = []

        def stopping(connection: socket.socket) -> None:
            ours(connection, 100)
            servers[-1].refuse()
            connection.shutdown(socket.SHUT_WR)
            drain(connection)

        def silent(connection: socket.socket) -> None:
            ours(connection, 100)
            drain(connection)

        for behaviour, reason in (
            (stopping, "nothing listens there any more"),
            (silent, r"no answer came for 0\.5 s \(--timeout allows longer\)"),
        ):
            for words in ((), ("--json",)):
                servers.append(self.serve(behaviour))
                result = self.calc(*words, "--timeout", "0.5", "--file", str(file))
                self.assertRegex(result.stderr, f"^{error.format(self.peer, reason)}$")
                self.assertEqual(result.returncode, 1)
            found = [json.loads(line) for line in result.stdout.splitlines()]
            self.assertEqual([item["line"] for item in found], [*range(1, 501)])
            self.assertEqual([item.get("result") for item in found[:100]], [*range(1, 101)])
            self.assertEqual([item["error"].keys() for item in found[100:]], [{"type", "message"}] * 400)

    def test_stream(self) -> None:
        """Answers come as lines come, whatever else is still to come; the end of the lines is the end."""
        self.serve()
        with self.typing("--json", "-") as process:
            assert process.stdin is not None and process.stdout is not None
            for number, words in enumerate(("1 + 1\n", "# a comment\n2 + 2\n", "\n3 + 3\n# the end\n"), 1):
                process.stdin.write(words)
                process.stdin.flush()
                self.assertEqual(json.loads(process.stdout.readline())["result"], 2 * number)
            process.stdin.close()
            self.assertEqual((process.stdout.read(), process.wait(PATIENCE)), ("", 0))

    def test_stream_interrupted(self) -> None:
        """Ctrl+C ends it while it waits for lines."""
        self.serve()
        with self.typing("--json", "-") as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write("1 + 1\n")
            process.stdin.flush()
            process.stdout.readline()
            self.assertEqual(interrupted(process), (130, ""))

    def test_endless(self) -> None:
        """An endless producer is answered until nobody reads, in no more memory than a short one."""
        self.serve()
        with subprocess.Popen(["yes", "1 + 1"], stdout=subprocess.PIPE) as producer:
            with self.typing("--json", "-", stdin=producer.stdout) as process:
                assert process.stdout is not None
                sizes = []
                for number in range(1, 2_001):
                    self.assertEqual(json.loads(process.stdout.readline())["line"], number)
                    if number in {500, 2_000}:
                        sizes.append(resident(process.pid))
                process.stdout.close()
                self.assertEqual(process.wait(PATIENCE), 141)
            producer.terminate()
        self.assertLess(sizes[1] - sizes[0], 2**20)

    def typing(self, *words: str, stdin: IO[bytes] | int | None = subprocess.PIPE) -> subprocess.Popen[str]:
        """The command, asking the server what is put into its stdin."""
        return subprocess.Popen(
            [*NETLAB, "calc", "--connect", self.peer, *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def test_marked(self) -> None:
        """The mark that some editors put before UTF-8 is no part of line 1."""
        self.serve()
        file = temporary_folder(self) / "questions.txt"
        file.write_text("1 + 1\n", "utf-8-sig")
        self.assertEqual(self.calc("--json", "--file", str(file)).stderr, "")
        self.assertEqual(self.calc("--json", "-", stdin="\ufeff1 + 1\n").stderr, "")

    def test_no_expression(self) -> None:
        """A file without expressions, or that is not there, is a failure."""
        self.serve()
        self.fails(self.calc("-", stdin="# nothing\n\n"), "there is no expression in stdin")
        self.fails(self.calc("--file", "/nowhere"), "/nowhere cannot be read: No such file or directory")

    def test_reader_that_leaves(self) -> None:
        """``| head`` ends it without a word."""
        self.serve()
        process = subprocess.Popen(
            [*NETLAB, "calc", "--connect", self.peer, "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdout.close()
        process.stdin.write("1 + 2 + 3 + 4\n" * 500)
        process.stdin.close()
        self.assertEqual(process.stderr.read(), "")
        process.stderr.close()
        self.assertEqual(process.wait(PATIENCE), 141)


class ErrorTests(CalcCase):
    """What goes wrong is one line that says what to do."""

    def test_arithmetic(self) -> None:
        """An error that the server reports has its name, after the story on stdout."""
        self.serve()
        result = self.calc("1 / 0")
        self.fails(result, "ZeroDivisionError: division by zero")
        self.assertIn("Got response of length 80 bytes", result.stdout)

    def test_syntax(self) -> None:
        """A syntax error is found before anybody is connected to."""
        server = self.serve()
        result = self.calc("2 + $")
        self.fails(result, "'$' has no place in an expression, at column 5")
        self.assertEqual((result.stdout, server.connections), ("", 0))

    def test_refused(self) -> None:
        """Where nothing listens, the line says how to start a server."""
        self.serve().__exit__()
        hint = "(start a server with: twistd -n netlab-calc, or name one with --connect)"
        self.fails(self.calc("1"), f"nothing listens on {self.peer} {hint}")

    def test_no_such_socket(self) -> None:
        """A UNIX socket that is not there is an error like others."""
        result = netlab("calc", "--connect", f"unix:{temporary_folder(self)}/none", "1")
        self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (1, "", 1))
        self.assertIn("No such file", result.stderr)

    def test_bad_servers(self) -> None:
        """Every way in which a server can fail is one line."""
        early = "the server closed the connection before it answered"
        strange = "does not speak the calculator protocol"
        for behaviour, options, error in (
            (raw(b""), (), early),
            (raw(response(Success(1))[:20]), (), "the server closed the connection 20 bytes into an answer"),
            (raw(b"", stay=True), ("--timeout", "0.2"), r"no answer came for 0\.2 s \(--timeout allows longer\)"),
            (raw(b"HTTP/1.1 400 Bad Request\r\n\r\n", stay=True), (), strange),
            (raw(bytes(12)), (), strange),
        ):
            self.serve(behaviour)
            result = self.calc(*options, "1")
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, rf"^netlab calc: {self.peer}:? {error}.*\n$")

    def test_bad_body(self) -> None:
        """A pickle that would run something is refused, and runs nothing."""
        self.serve(raw(encode_packet(b"\x80\x04cbuiltins\nprint\n(S'owned'\ntR.", timestamp=0, status=200)))
        result = self.calc("1")
        self.assertRegex(result.stderr, r"^netlab calc: the pickle was refused: .*\n$")
        self.assertNotIn("owned", result.stdout)

    def test_usage(self) -> None:
        """Bad usage is one line and an exit code of 2."""
        self.peer = ":1"
        see = "(see netlab calc --help)"
        self.fails(self.calc(), f"give an expression, - for stdin, or --file {see}", 2)
        self.fails(self.calc("1", "--file", "x"), f"give either an expression or --file, not both {see}", 2)
        for words, part in (
            (("--no-step", "1"), "--no-steps"),
            (("--max-age", "-1", "1"), "65,534"),
            (("--max-age", "70000", "1"), "65,534"),
            (("--timeout", "0", "1"), "--timeout"),
            (("--timeout", "nan", "1"), "'nan' is no number of seconds above 0"),
            (("--timeout", "inf", "1"), "--timeout"),
            (("--timeout", "soon", "1"), "--timeout"),
            (("--max-age", "nan", "1"), "65,534"),
            (("--stpes", "1"), "no option --stpes; did you mean --steps"),
            (("--codec", "xml", "1"), "pickle"),
            (("--connect", "nowhere", "1"), "HOST:PORT"),
        ):
            result = self.calc(*words)
            self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (2, "", 1), result.stderr)
            self.assertIn(part, result.stderr)

    def test_interrupt(self) -> None:
        """Ctrl+C while a server takes its time ends it without a word."""
        self.serve(raw(b"", stay=True))
        process = subprocess.Popen(
            [*NETLAB, "calc", "--connect", self.peer, "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=environment(PYTHONUNBUFFERED="1"),
        )
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        self.assertEqual(interrupted(process), (130, ""))


class TerminalTests(CalcCase):
    """At a terminal."""

    def terminal(self, *words: str, **more: str) -> tuple[int, str]:
        """Ask at a terminal."""
        return at_terminal("calc", "--connect", self.peer, *words, **more)

    def test_colour(self) -> None:
        """The result stands out; without its colours the text is what a pipe gets."""
        self.serve()
        code, seen = self.terminal("max(2, 3) + 3")
        self.assertEqual(code, 0)
        self.assertIn("Result: \x1b[1m6\x1b[0m\n", seen)
        self.assertEqual(re.sub(r"\x1b\[\d+m", "", seen), self.calc("max(2, 3) + 3").stdout)

    def test_no_colour(self) -> None:
        """NO_COLOR and a dumb terminal are honoured."""
        self.serve()
        for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.terminal("1 + 1", **more)[1])

    def test_caret(self) -> None:
        """A person is shown the place of a syntax error."""
        self.serve()
        code, seen = self.terminal("2 + $ + 1")
        self.assertEqual(code, 1)
        self.assertEqual(seen, "netlab calc: '$' has no place in an expression, at column 5\n2 + $ + 1\n    ^\n")

    def test_hostile_texts(self) -> None:
        """Nothing that a server sends reaches the terminal as a command."""
        evil = "\x1b]0;owned\x07\r\x9b2J\u202e"
        answers: list[tuple[Answer, int]] = [(Success(1, (evil, evil)), 200), (Failure("ValueError", (evil,)), 400)]
        for answer, status in answers:
            self.serve(raw(response(answer, status)))
            _, seen = self.terminal("1 + 1", NO_COLOR="1")
            self.assertIn(r"\x1b]0;owned\x07\r\x9b2J\u202e", seen)
            self.assertTrue(seen.replace("\n", "").isprintable())


class ProgressTests(CalcCase):
    """The bar, on a stderr that is a terminal."""

    def test_bar(self) -> None:
        """It shows when a server takes long, goes away again before an error, and stays out of stdout."""
        self.serve(raw(b"", stay=True))
        folder = temporary_folder(self)
        file, output = folder / "questions.txt", folder / "output.txt"
        file.write_text(QUESTIONS)
        words = ("calc", "--connect", self.peer, "--timeout", "1", "--file", str(file))
        with output.open("wb") as stdout:
            code, seen = at_terminal(*words, stdout=stdout)
        self.assertEqual(code, 1)
        bar, _, error = seen.rpartition("\x1b[2K")
        self.assertIn("0/4", bar)
        self.assertEqual(error, f"netlab calc: {self.peer}: no answer came for 1 s (--timeout allows longer)\n")
        self.assertEqual(output.read_text(), self.story("@ Connection established", "", "@ Connection closed"))

    def test_quick(self) -> None:
        """What takes no time shows none."""
        self.serve()
        file = temporary_folder(self) / "questions.txt"
        file.write_text("1 + 1\n2 + 2\n")
        with file.with_suffix(".out").open("wb") as stdout:
            self.assertEqual(at_terminal("calc", "--connect", self.peer, "--file", str(file), stdout=stdout), (0, ""))


class DaemonTests(CalcCase):
    """The command and the daemon, as their users have them."""

    def test_daemon(self) -> None:
        """The command asks a daemon that twistd runs, and the daemon's log has the same lengths."""
        with Daemon(temporary_folder(self), "netlab-calc", "--listen", "tcp:0:interface=127.0.0.1") as daemon:
            self.peer = f"127.0.0.1:{daemon.port}"
            self.assertIn("Result: 6\n", self.calc("max(2, 3) + 3").stdout)
            daemon.wait_for("Got request of length 376 bytes")
            daemon.wait_for("Sending response of length 60 bytes")
            daemon.wait_for("Connection closed")
