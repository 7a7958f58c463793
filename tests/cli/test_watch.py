"""``netlab watch`` as a person runs it: what passes through, how it ends, and that nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
from twisted.trial.unittest import SynchronousTestCase

from netlab.cli.watch import watch
from tests.cli.command import NETLAB, PATIENCE, at_terminal, environment, netlab
from tests.parts import temporary_folder
from tests.watchdog.programs import assert_gone

FREE = ("--port", "0")
SOON = (*FREE, "--timeout", "0.6", "--grace", "0.4")


class Case(SynchronousTestCase):
    """A test whose commands say their process numbers as ``pid N`` on stdout."""

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Run ``netlab watch``, and be sure that it ends with the test."""
        process = subprocess.Popen(
            [*NETLAB, "watch", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def pids(self, process: subprocess.Popen[str], count: int) -> list[int]:
        """The next processes that are told."""
        assert process.stdout is not None
        return [int(process.stdout.readline().split()[1]) for _ in range(count)]

    def all_gone(self, pids: list[int]) -> None:
        for pid in pids:
            assert_gone(self, pid)


class PassTests(Case):
    """A command that behaves is not disturbed."""

    def test_output_and_status(self) -> None:
        """Both streams, stdin and the exit status are the command's own."""
        script = "read line; echo got $line; echo bad >&2; exit 3"
        result = netlab("watch", *FREE, "--", "sh", "-c", script, stdin="words\n")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (3, "got words\n", "bad\n"))

    def test_signalled(self) -> None:
        """A command that died of a signal is told as a shell tells it."""
        self.assertEqual(netlab("watch", *FREE, "sh", "-c", "kill -USR1 $$").returncode, 128 + signal.SIGUSR1)

    def test_much_output(self) -> None:
        """Much is passed on to a slow reader, to the last byte."""
        process = self.begin(*FREE, "--", "seq", "200000")
        assert process.stdout is not None
        time.sleep(0.2)
        self.assertEqual(sum(1 for _ in process.stdout), 200_000)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_slow_reader(self) -> None:
        """Who does not read for longer than the time-out does not make the command seem dead."""
        process = self.begin(*SOON, "--", "seq", "200000")
        time.sleep(1.5)
        self.assertIsNone(process.poll())
        assert process.stdout is not None
        self.assertEqual(sum(1 for _ in process.stdout), 200_000)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_no_reader(self) -> None:
        """A command whose output nobody reads any more ends as it would without us."""
        process = self.begin(*FREE, "--", "yes")
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGPIPE)

    def test_terminal(self) -> None:
        """At a terminal the command writes to one, so that it keeps nothing back; lines end as they should."""
        script = "import sys, time; print(sys.stdout.isatty()); time.sleep(0.3); print('end')"
        self.assertEqual(at_terminal("watch", *FREE, "--", sys.executable, "-c", script), (0, "True\nend\n"))

    def test_sd_notify(self) -> None:
        """A silent command lives by what it says to $NOTIFY_SOCKET, within the time that it is told."""
        script = (
            "import os, socket, time\n"
            "sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            "sender.connect(os.environ['NOTIFY_SOCKET'])\n"
            "for _ in range(10):\n"
            "    time.sleep(int(os.environ['WATCHDOG_USEC']) / 1e6 / 4)\n"
            "    sender.send(b'STATUS=well\\nWATCHDOG=1')\n"
            "for _ in range(30):\n"
            "    time.sleep(0.1)\n"
            "    sender.send(b'STATUS=ill')\n"
        )
        began = time.monotonic()
        result = netlab("watch", *SOON, "--", sys.executable, "-c", script)
        self.assertEqual(result.returncode, 124, result.stderr)
        self.assertGreater(time.monotonic() - began, 1.5 + 0.6)
        self.assertRegex(result.stderr, r"last reply +sign of life number 10\n")


class EndTests(Case):
    """A command that falls silent, and one that is asked to end."""

    def test_silent(self) -> None:
        """It is ended with all that it started, what left its family included; the story is told; the status is 124."""
        script = "sleep 600 & echo pid $!; setsid sleep 600 & echo pid $!; (setsid sleep 600 & echo pid $!); wait"
        process = self.begin(*SOON, "--", "sh", "-c", script)
        pids = self.pids(process, 3)
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 124, errors)
        self.all_gone(pids)
        story = re.sub(r"netlab watchdog: +[0-9.]+ s  ", "", errors)
        self.assertRegex(story, r"(?s)\(sh\) gave no sign of life for 0.6 s.*\nstart.*\ndeadline.*\nSIGTERM.*\nexit")
        moments = [float(found) for found in re.findall(r"netlab watchdog: +([0-9.]+) s", errors)]
        self.assertEqual(moments, sorted(moments))

    def test_deaf(self) -> None:
        """One that ignores SIGTERM is killed, and the status says so."""
        process = self.begin(*SOON, "--", "sh", "-c", "trap '' TERM; sleep 600 & echo pid $!; echo pid $$; wait")
        pids = self.pids(process, 2)
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 137, errors)
        self.all_gone(pids)
        self.assertRegex(errors, r"(?s)SIGTERM.*SIGSTOP.*SIGKILL.*exit")

    def test_left_running(self) -> None:
        """What a command leaves running when it ends is ended, too."""
        process = self.begin(*FREE, "--", "sh", "-c", "setsid sleep 600 & echo pid $!")
        pids = self.pids(process, 1)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.all_gone(pids)

    def test_interrupt(self) -> None:
        """Ctrl+C goes to the command, which may end as it likes; nothing is left."""
        script = "trap 'echo bye; exit 7' INT; echo pid $$; while :; do sleep 0.05; done"
        process = self.begin(*FREE, "--", "sh", "-c", script)
        pids = self.pids(process, 1)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, said, errors), (7, "bye\n", ""))
        self.all_gone(pids)

    def test_signals(self) -> None:
        """A command that knows nothing of signals dies of them."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        under_way = [self.begin(*FREE, "--", "sh", "-c", "echo pid $$; exec sleep 600") for _ in numbers]
        for number, process in zip(numbers, under_way, strict=True):
            pids = self.pids(process, 1)
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), 128 + number)
            self.all_gone(pids)

    def test_interrupt_twice(self) -> None:
        """A second Ctrl+C does not wait for the grace."""
        script = "trap 'echo pid 0' INT; echo pid $$; while :; do sleep 0.05; done"
        process = self.begin(*FREE, "--grace", "600", "--", "sh", "-c", script)
        pids = self.pids(process, 1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.pids(process, 1), [0])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 137)
        self.all_gone(pids)

    def test_killed(self) -> None:
        """Killed itself, it leaves nothing behind."""
        process = self.begin(*FREE, "--", "sh", "-c", "echo pid $PPID; echo pid $$; exec sleep 600")
        pids = self.pids(process, 2)
        process.kill()
        self.all_gone(pids)

    def test_killed_watchdog(self) -> None:
        """Without its watchdog the command is ended, too, what was orphaned included, and the status is 125."""
        process = self.begin(*FREE, "--", "sh", "-c", "echo pid $PPID; echo pid $$; exec sleep 600")
        pids = self.pids(process, 2)
        os.kill(pids[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(
            (process.returncode, errors), (125, "netlab watch: the watchdog has ended (SIGKILL); sh is ended, too\n")
        )
        self.all_gone(pids)


class RefusalTests(Case):
    """What cannot be run."""

    def refused(self, code: int, line: str, *words: str) -> None:
        result = netlab("watch", *words)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (code, "", f"netlab watch: {line}\n"))

    def test_command(self) -> None:
        """No such command is 127, one that is no program 126, as in a shell."""
        self.refused(127, "nonesuch cannot be started: No such file or directory", *FREE, "nonesuch")
        plain = Path(temporary_folder(self), "plain")
        plain.touch()
        self.refused(126, f"{plain} cannot be started: Permission denied", *FREE, str(plain))

    def test_taken_port(self) -> None:
        """A taken port is one line and 2, and the command is not run."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            line = f"cannot listen on 127.0.0.1:{port}: Address already in use (port 0 takes a free one)"
            self.refused(2, line, "--port", str(port), "echo", "ran")

    def test_usage(self) -> None:
        """Options that make no sense are one line and 2; those of the command are its own."""
        for words in ((), ("--timeout", "0", "x"), ("--timeout", "nan", "x"), ("--port", "65536", "x"), ("--bogus",)):
            self.assertRaises(click.UsageError, watch.main, list(words), standalone_mode=False)
        result = netlab("watch", "--timeout", "0", "x")
        self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (2, "", 1), result.stderr)
        self.assertEqual(netlab("watch", *FREE, "echo", "--timeout", "0").stdout, "--timeout 0\n")
