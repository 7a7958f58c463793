"""A program and the watchdog that is its child, as real processes."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from typing import IO

from twisted.trial.unittest import SynchronousTestCase

from tests.daemons import PATIENCE, quiet_environment
from tests.watchdog.programs import assert_gone

#: A program that starts its watchdog: argv is the port, and what to do when it has given three signs of life.
_SCRIPT = """
import subprocess, sys
from twisted.internet import reactor, task
from netlab.common.errors import NetlabError
from netlab.common.monotonic import use_monotonic_clock
from netlab.watchdog.companion import Wishes, start_watchdog

def say(*words):
    print(*words, flush=True)

async def main(reactor):
    use_monotonic_clock(reactor)
    try:
        companion = await start_watchdog(reactor, Wishes(port=int(sys.argv[1]), timeout=0.6, grace=20.0))
    except NetlabError as error:
        say("failed", error)
        return
    reactor.addSystemEventTrigger("before", "shutdown", companion.stop)
    companion.when_gone().addErrback(lambda failure: say("gone", type(failure.value).__name__, failure.value))
    companion.start()
    for number in range(3):
        companion.request(f"seq={number}")
        await task.deferLater(reactor, 0.12)
        companion.alive()
    companion.request("seq=3")
    await task.deferLater(reactor, 0)
    say("child", companion.pid)
    if "fork" in sys.argv:
        say("child", subprocess.Popen(["sleep", "600"]).pid)
    say("silent")
    if "stop" in sys.argv:
        await companion.stop()
        say("stopped")
    else:
        await task.deferLater(reactor, 600)

task.react(main)
"""


class Program:
    """That program under way; use it as a context manager, and nothing of it stays."""

    def __init__(self, port: int, *orders: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, str(port), *orders],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=quiet_environment(),
        )
        self.said: list[str] = []

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def read_to(self, word: str) -> None:
        """Read what it says up to a line that begins with ``word``."""
        stdout: IO[str] | None = self.process.stdout
        assert stdout is not None
        for line in stdout:
            self.said.append(line.rstrip())
            if line.startswith(word):
                return
        raise AssertionError(f"it never said {word}: {self.said}")

    @property
    def children(self) -> list[int]:
        """The watchdog, and what else it started."""
        return [int(line.split()[1]) for line in self.said if line.startswith("child")]

    def end(self) -> tuple[int, str]:
        """Its exit status, and what it and its watchdog wrote to stderr, to the end of both."""
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


class CompanionTests(SynchronousTestCase):
    """The pair lives and ends together."""

    def all_gone(self, program: Program) -> None:
        for child in program.children:
            assert_gone(self, child)

    def test_expiry(self) -> None:
        """The signs stop: the program is ended and what it started, the watchdog tells the story and ends."""
        with Program(0, "fork") as program:
            program.read_to("gone BeingEnded")
            status, errors = program.end()
            self.assertEqual(status, 0, errors)  # what `task.react` makes of SIGTERM
            self.all_gone(program)
        steps = ("start", "last request  seq=3", "last reply    sign of life number 3", "deadline", "SIGTERM", "exit")
        story = re.sub(r"netlab watchdog: +[0-9.]+ s  ", "", errors)
        for step in steps:
            self.assertIn(f"\n{step}", story)
        places = [story.index(f"\n{step}") for step in steps]
        self.assertEqual(sorted(places[:1] + places[3:]), places[:1] + places[3:], story)
        self.assertIn("(sleep)", story)
        self.assertIn("gave no sign of life for 0.6 s", story)

    def test_hangs(self) -> None:
        """A program that does not run at all is ended like any other; what it asked just before is known."""
        with Program(0) as program:
            program.read_to("silent")
            program.process.send_signal(signal.SIGSTOP)
            status, errors = program.end()
            self.assertEqual(status, 0, errors)
            self.assertNotIn("SIGKILL", errors)
            self.assertIn("last request  seq=3", errors)
            self.all_gone(program)

    def test_interrupt(self) -> None:
        """Ctrl+C ends both at once, and nothing is told."""
        with Program(0) as program:
            program.read_to("silent")
            program.process.send_signal(signal.SIGINT)
            _, errors = program.end()
            self.assertNotIn("watchdog", errors)
            self.all_gone(program)

    def test_stop(self) -> None:
        """When `stop` has fired, the watchdog is gone; that it went is no news."""
        with Program(0, "stop") as program:
            program.read_to("stopped")
            self.assertNotIn("gone", " ".join(program.said))
            self.assertEqual(program.end(), (0, ""))
            self.all_gone(program)

    def test_killed_program(self) -> None:
        """The watchdog does not outlive a program that was killed."""
        with Program(0) as program:
            program.read_to("silent")
            program.process.kill()
            program.end()
            self.all_gone(program)

    def test_killed_watchdog(self) -> None:
        """The program is told at once when its watchdog is no more."""
        with Program(0) as program:
            program.read_to("silent")
            subprocess.run(["kill", "-KILL", str(program.children[0])], check=True)
            program.read_to("gone WatchdogGone")

    def test_taken_port(self) -> None:
        """A taken port is an error before anything is started."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with Program(port) as program:
                program.read_to("failed")
                self.assertEqual(
                    program.said,
                    [f"failed cannot listen on 127.0.0.1:{port}: Address already in use (port 0 takes a free one)"],
                )
                self.assertEqual(program.end(), (0, ""))
