"""``netlab ping`` as a person and as a script run it: what is on stdout and stderr, and the exit status."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
from pathlib import Path

import click
from twisted.trial.unittest import SynchronousTestCase

from netlab.cli.ping import ping
from netlab.icmp.sockets import UNPRIVILEGED
from tests.cli.command import NETLAB, PATIENCE, Result, environment, interrupted
from tests.networks import Host
from tests.parts import missing, require_program, temporary_folder

TIMES = r"time min/avg/median/p95/max/mdev = (\d+\.\d{3}/){5}\d+\.\d{3} ms"
#: What belongs to nobody: in a namespace whose only network is its loopback no route leads there.
NOWHERE = "192.0.2.1"


class PingCase(SynchronousTestCase):
    """A test with a host of its own, whose only network is its loopback."""

    def setUp(self) -> None:
        """Make the host."""
        self.host = Host(self)

    def command(self, *words: str) -> list[str]:
        """The command in that host."""
        return [*self.host.enter(), *NETLAB, "ping", *words]

    def ping(self, *words: str, **more: str) -> Result:
        """Run it to its end, with its output in pipes."""
        result = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment(**more)
        )
        self.assertNotIn("Traceback", result.stderr)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        return result

    def started(self, *words: str) -> subprocess.Popen[str]:
        """Start it, and have it gone when the test ends."""
        process = subprocess.Popen(
            self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def refused(self, error: str, *words: str, **more: str) -> None:
        """It cannot be done: one line on stderr, nothing on stdout, exit status 2."""
        result = self.ping(*words, **more)
        self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (2, "", 1), result.stderr)
        self.assertTrue(result.stderr.startswith("netlab ping: "), result.stderr)
        self.assertIn(error, result.stderr)


class LineTests(PingCase):
    """For a person."""

    def test_replies(self) -> None:
        """A line a reply as it comes, in the end the summary, exit status 0."""
        result = self.ping("-c", "3", "-i", "0.01", "127.0.0.1")
        replies = r"127\.0\.0\.1: seq=0 time=\d+\.\d{3}ms\n127\.0\.0\.1: seq=1 time=.*\n127\.0\.0\.1: seq=2 time=.*\n"
        summary = rf"\n127\.0\.0\.1: 3 sent, 3 received, 0% lost\n127\.0\.0\.1: {TIMES}, jitter \d+\.\d{{3}} ms\n"
        self.assertRegex(result.stdout, rf"\A{replies}{summary}\Z")
        self.assertEqual((result.stderr, result.returncode), ("", 0))

    def test_many(self) -> None:
        """Several targets, a name among them: each line says whose it is."""
        result = self.ping("-4", "-c", "1", "localhost", "127.0.0.2", "127.0.0.3")
        self.assertIn("localhost is 127.0.0.1\n", result.stdout)
        for name in ("localhost", "127.0.0.2", "127.0.0.3"):
            self.assertRegex(result.stdout, rf"(?m)^{name}: seq=0 time=\d+\.\d{{3}}ms$")
            self.assertIn(f"\n{name}: 1 sent, 1 received, 0% lost\n", result.stdout)
        self.assertEqual(result.returncode, 0)

    def test_interrupted(self) -> None:
        """Ctrl+C brings the summary, and the exit status is as at any end; SIGTERM does the same."""
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.started("-i", "0.01", "127.0.0.1")
            assert process.stdout is not None
            self.assertIn("seq=0", process.stdout.readline())
            process.send_signal(number)
            out, errors = process.communicate(timeout=PATIENCE)
            self.assertRegex(out, rf"\d+ sent, \d+ received, 0% lost.*\n127\.0\.0\.1: {TIMES}")
            self.assertEqual((process.returncode, errors), (0, ""))

    def test_not_sent(self) -> None:
        """Where no route leads, that is said for each request; exit status 1, for others answered but not this."""
        result = self.ping("-c", "1", NOWHERE, "127.0.0.1")
        self.assertIn(f"{NOWHERE}: seq=0 not sent: Network is unreachable\n", result.stdout)
        self.assertIn(f"{NOWHERE}: 1 sent, 0 received, 100% lost (1 not sent)\n", result.stdout)
        self.assertIn("127.0.0.1: 1 sent, 1 received, 0% lost\n", result.stdout)
        self.assertEqual(result.returncode, 1)

    def test_lost(self) -> None:
        """A loss is told when it happens, not only at the end."""
        self.host.run("ip", "link", "add", "name", "hole", "type", "veth", "peer", "name", "bottom")
        self.host.address("hole", "10.9.0.1/24")
        for device in ("hole", "bottom"):
            self.host.run("ip", "link", "set", device, "up")
        self.host.run("ip", "neigh", "add", "10.9.0.2", "lladdr", "02:00:00:00:00:02", "dev", "hole")
        process = self.started("-i", "0.05", "--timeout", "0.2", "10.9.0.2")
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "10.9.0.2: seq=0 lost, no answer in 0.2 s\n")
        self.assertEqual(process.stdout.readline(), "10.9.0.2: seq=1 lost, no answer in 0.2 s\n")
        self.assertEqual(interrupted(process), (1, ""))

    def test_deadline_and_quiet(self) -> None:
        """--deadline ends it, --quiet leaves only the summary; what is in flight is not lost."""
        result = self.ping("-q", "-w", "0.225", "-i", "0.05", "127.0.0.1")
        self.assertRegex(result.stdout, r"\A\n127\.0\.0\.1: [3-5] sent, [3-5] received, 0% lost\n.*\n\Z")
        result = self.ping("-w", "0", "127.0.0.1")
        self.assertIn("0% lost", result.stdout)

    def test_nobody_reads(self) -> None:
        """When nobody reads any more it ends, and quietly."""
        process = self.started("-i", "0.002", "127.0.0.1")
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGPIPE)
        assert process.stderr is not None
        self.assertEqual(process.stderr.read(), "")
        process.stdout = None


class FormTests(PingCase):
    """The lab's output, JSON, plots and pictures."""

    def test_lab(self) -> None:
        """Only replies, with six decimals of which the last three are zeros; errors are said on stderr."""
        result = self.ping("--lab", "-c", "2", "-i", "0.01", "127.0.0.1")
        self.assertRegex(result.stdout, r"\A(127\.0\.0\.1: seq=[01] time=\d+\.\d{3}000ms\n){2}\Z")
        self.assertEqual((result.stderr, result.returncode), ("", 0))
        result = self.ping("--lab", "-c", "1", NOWHERE)
        self.assertEqual((result.stdout, result.returncode), ("", 1))
        self.assertEqual(result.stderr, f"{NOWHERE}: seq=0 not sent: Network is unreachable\n")

    def test_json(self) -> None:
        """Every line is an object with a version; the fields are those of docs/ping.md."""
        result = self.ping("--json", "-c", "1", "127.0.0.1", NOWHERE)
        objects = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual({found["version"] for found in objects}, {1})
        self.assertEqual(
            [found["event"] for found in objects], ["start", "unsent", "reply", "summary", "summary", "end"]
        )
        whose = {"target", "address", "family", "version", "event", "at"}
        start, unsent, reply, summary, silent, end = objects
        self.assertEqual(
            start.keys(), {"version", "event", "at", "unix", "targets", "interval", "timeout", "size", "ttl"}
        )
        self.assertEqual(reply.keys(), whose | {"seq", "number", "time_ms", "late"})
        self.assertEqual(unsent.keys(), whose | {"seq", "number", "reason"})
        counts = {"sent", "received", "late", "lost", "in_flight", "duplicates", "errors", "unsent", "loss", "times_ms"}
        self.assertEqual(summary.keys(), whose | counts)
        self.assertEqual(summary["times_ms"].keys(), {"min", "avg", "median", "p95", "max", "mdev", "jitter"})
        self.assertEqual((silent["times_ms"], silent["loss"], end["foreign"]), (None, 1.0, {}))
        self.assertIn(reply["family"], (4,))
        documented = (Path(__file__).parents[2] / "docs" / "ping.md").read_text("utf-8")
        for name in {name for found in objects for name in found}:
            self.assertIn(f"`{name}`", documented)

    def test_plot_without_a_terminal(self) -> None:
        """Where there is no terminal, it is drawn once, at the end: a block a reply, crosses for losses."""
        result = self.ping("--plot", "-c", "5", "-i", "0.01", "127.0.0.1", NOWHERE)
        self.assertRegex(result.stdout, r"(?m)\A127\.0\.0\.1 [▁-█]{5} +\d+\.\d{3} ms +0% lost$")
        self.assertRegex(result.stdout, r"(?m)^192\.0\.2\.1 ×{5} +no answer +100% lost$")
        plain = self.ping("--plot", "-c", "1", "127.0.0.1", PYTHONIOENCODING="ascii")
        self.assertRegex(plain.stdout, r"\A127\.0\.0\.1 _ +\d")

    def test_live_plot(self) -> None:
        """At a terminal the plot is redrawn as replies come, with no line of its own for each."""
        master, slave = os.openpty()
        process = subprocess.Popen(
            self.command("--plot", "-i", "0.02", "127.0.0.1", "127.0.0.2"),
            stdout=slave,
            stderr=slave,
            env=environment(),
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(slave)
        seen = b""
        while len(re.findall(r"127\.0\.0\.1 \S*[▁-█]{3}", seen.decode(errors="ignore"))) < 2:
            self.assertTrue(select.select([master], [], [], PATIENCE)[0], seen)
            seen += os.read(master, 65_536)
        process.send_signal(signal.SIGINT)
        try:
            while data := os.read(master, 65_536):
                seen += data
        except OSError:  # the terminal of a process that has ended reads as an error
            pass
        os.close(master)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertNotIn(b"seq=", seen)
        self.assertIn(b"received, 0% lost", seen)

    def test_picture(self) -> None:
        """--png leaves a PNG, beside whatever is printed."""
        path = temporary_folder(self) / "times.png"
        result = self.ping("--png", str(path), "-c", "3", "-i", "0.01", "127.0.0.1", NOWHERE)
        self.assertIn("seq=2", result.stdout)
        picture = path.read_bytes()
        self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
        self.assertGreater(len(picture), 10_000)


class RefusalTests(PingCase):
    """What cannot be done is said in one line that says what to do, and the exit status is 2."""

    def test_unknown_target(self) -> None:
        """Names that nobody has, and what is no name."""
        for name in ("", "1.2.3.4.5", "\u202e"):
            self.refused("", "-c", "1", name)
        self.refused("no address for nosuchhost.invalid; check the spelling", "127.0.0.1", "nosuchhost.invalid")
        self.refused("no IPv6 address for 127.0.0.1", "-6", "127.0.0.1")

    def test_twice(self) -> None:
        """One host under two names."""
        self.refused("localhost and 127.0.0.1 would be pinged twice", "-4", "localhost", "127.0.0.1")

    def test_options(self) -> None:
        """Numbers that make no sense, options that exclude each other, too few words."""
        for error, words in (
            ("missing argument 'TARGET...'", ()),
            ("--interval is a time in seconds", ("-i", "nan", "127.0.0.1")),
            ("--timeout cannot be under", ("-W", "0", "127.0.0.1")),
            ("make --timeout at most", ("-W", "9999", "-i", "0.01", "127.0.0.1")),
            ("'-s' / '--size'", ("-s", "65508", "127.0.0.1")),
            ("'-t' / '--ttl'", ("-t", "0", "127.0.0.1")),
            ("'-c' / '--count'", ("-c", "0", "127.0.0.1")),
            ("-4 and -6 exclude each other", ("-4", "-6", "127.0.0.1")),
            ("--json and --plot exclude each other", ("--json", "--plot", "127.0.0.1")),
            ("--lab sends its own 19 bytes", ("--lab", "-s", "5", "127.0.0.1")),
            ("no such folder", ("--png", "/nonexistent/a.png", "127.0.0.1")),
        ):
            with self.assertRaises(click.UsageError) as raised:
                ping.main([*words], standalone_mode=False)
            self.assertIn(error.lower(), raised.exception.format_message().lower())
        self.refused("'-c' / '--count'", "-c", "0", "127.0.0.1")

    def test_no_permission(self) -> None:
        """With neither socket allowed, the line has the sysctl, the capability and sudo in it."""
        self.host.write("ipv4/ping_group_range", "1 0")
        self.refused('sudo sysctl -w net.ipv4.ping_group_range="0 2147483647"', "127.0.0.1", **{UNPRIVILEGED: "1"})
        self.refused("sudo setcap cap_net_raw+ep /", "127.0.0.1", **{UNPRIVILEGED: "1"})

    def test_ordinary_user(self) -> None:
        """Another user gets the unprivileged socket, or the line about it, from the kernel itself; and no floods."""
        if os.geteuid() != 0:
            missing("becoming another user needs root")
        become = [require_program("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        script = "import runpy, sys; sys.argv[0] = 'netlab'; runpy.run_module('netlab.cli.main', run_name='__main__')"
        if subprocess.run([*become, NETLAB[0], "-c", ""], check=False, capture_output=True).returncode:
            missing("another user may not run this Python")
        for allowed, interval, status in (("0 2147483647", "1", 0), ("1 0", "1", 2), ("0 2147483647", "0", 2)):
            self.host.write("ipv4/ping_group_range", allowed)
            words = [
                *self.host.enter(),
                *become,
                NETLAB[0],
                "-c",
                script,
                "ping",
                "-c",
                "1",
                "-i",
                interval,
                "127.0.0.1",
            ]
            result = subprocess.run(
                words, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=Path(__file__).parents[2]
            )
            self.assertEqual(result.returncode, status, result.stderr)


class WatchTests(PingCase):
    """With a watchdog of its own."""

    def test_ends_by_itself(self) -> None:
        """A ping that ends takes its watchdog along, whether it ends by itself or by Ctrl+C."""
        for count, number in (("4", None), ("9999", signal.SIGINT)):
            process = self.started("--watchdog", "-c", count, "-i", "0.05", "127.0.0.1")
            assert process.stdout is not None
            process.stdout.readline()
            (child,) = _children(_child_of(process.pid))
            if number is not None:
                process.send_signal(number)
            _, errors = process.communicate(timeout=PATIENCE)
            self.assertEqual((process.returncode, errors), (0, ""))
            self.assertFalse(Path(f"/proc/{child}").exists())

    def test_port_taken(self) -> None:
        """Port 3000 taken: one line, exit status 2."""
        first = self.started("--watchdog", "-i", "0.05", "127.0.0.1")
        assert first.stdout is not None
        first.stdout.readline()
        self.refused("cannot listen on 127.0.0.1:3000: Address already in use", "--watchdog", "127.0.0.1")
        self.assertEqual(interrupted(first), (0, ""))

    def test_replies_stop(self) -> None:
        """When replies stop the watchdog ends the ping and tells the story; the ping still has its summary."""
        process = self.started("--watchdog", "--watchdog-timeout", "0.5", "-i", "0.05", "--timeout", "0.2", "127.0.0.1")
        assert process.stdout is not None
        process.stdout.readline()
        self.host.run("ip", "link", "set", "lo", "down")
        out, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("SIGTERM", errors)
        self.assertIn("% lost", out)

    def test_watchdog_dies(self) -> None:
        """That is said at once; the ping goes on, or stops if it was required."""
        for option, then in (("--watchdog", "going on without it"), ("--watchdog-required", "stopping")):
            process = self.started(option, "-i", "0.05", "127.0.0.1")
            assert process.stdout is not None and process.stderr is not None
            process.stdout.readline()
            (child,) = _children(_child_of(process.pid))
            os.kill(child, signal.SIGKILL)
            self.assertIn(then, process.stderr.readline())
            if option == "--watchdog":
                process.stdout.readline()
                self.assertEqual(interrupted(process), (0, ""))
            else:
                self.assertEqual(process.wait(PATIENCE), 2)


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _child_of(pid: int) -> int:
    """The command itself, where nsenter runs it as a child, else what it was started as: nsenter becomes it."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes()
    return pid if b"nsenter" not in words else _children(pid)[0]
