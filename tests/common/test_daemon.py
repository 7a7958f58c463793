"""What daemons do alike: services in order, signals, the JSON log, addresses, endpoints, file limits."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from netlab.common import daemon as daemon_module
from netlab.common.addresses import address_text
from netlab.common.daemon import CannotStart, CleanExit, DaemonOptions, InOrder, allow_files, option, seconds, whole
from netlab.common.json_log import JsonLog
from netlab.common.quiet_collector import QuietCollector
from tests.daemons import PATIENCE, Daemon, quiet_environment, twistd
from tests.parts import temporary_folder


@define(eq=False)
class Slow(Service):
    """A service that stops when it is told to."""

    order: list[str]
    label: str
    stopped: Deferred[None] = field(factory=Deferred)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        self.order.append(self.label)
        return self.stopped


@define
class FakeReactor:
    """What `CleanExit` asks of a reactor."""

    running: bool = True
    stops: int = 0
    _exitSignal: int | None = None  # noqa: N815 - Twisted's name
    calls: list[Callable[[], None]] = field(factory=list)

    def callWhenRunning(self, call: Callable[[], None]) -> None:  # noqa: N802 - Twisted's name
        self.calls.append(call)

    def callFromThread(self, call: Callable[[], None]) -> None:  # noqa: N802 - Twisted's name
        call()

    def stop(self) -> None:
        self.stops += 1


class Options(DaemonOptions):
    """Options of a daemon."""

    daemon = "netlab-x"
    optParameters = [
        option("listen", "tcp:0", "where"),
        option("count", 1, "how many", whole(1, 9)),
        option("time", 1, "how long", seconds),
    ]


class ServiceTests(SynchronousTestCase):
    """The services that every daemon has."""

    def test_in_order(self) -> None:
        """What was added last stops first, and the next only when it has stopped, even if it failed to."""
        order: list[str] = []
        services, parent = [Slow(order, name) for name in "abc"], InOrder()
        for service in services:
            service.setServiceParent(parent)
        stopped = parent.stopService()
        self.assertEqual(order, ["c"])
        services[2].stopped.errback(ZeroDivisionError())
        self.assertEqual(order, ["c", "b"])
        services[1].stopped.callback(None)
        self.assertNoResult(stopped)
        services[0].stopped.callback(None)
        self.successResultOf(stopped)
        self.assertEqual((order, len(self.flushLoggedErrors(ZeroDivisionError))), (["c", "b", "a"], 1))

    def test_signals(self) -> None:
        """SIGTERM and SIGINT stop the reactor once, however often they come, and from before anything listens."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        reactor = FakeReactor()
        CleanExit(reactor).privilegedStartService()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        self.assertEqual(reactor.stops, 1)
        self.assertEqual(len(reactor.calls), 1)

    def test_signal_that_the_reactor_took(self) -> None:
        """A SIGTERM that came while the reactor put its handlers in place of ours ends twistd no otherwise."""
        reactor = FakeReactor(exitSignal=signal.SIGTERM)
        CleanExit(reactor).stopService()
        self.assertIsNone(reactor._exitSignal)

    def test_json_log(self) -> None:
        """Every event is a line, what other services say while they stop included; then the file is closed."""
        path = temporary_folder(self) / "log"
        log = JsonLog("netlab-x", str(path))
        log.privilegedStartService()
        log.startService()
        Logger(namespace="here").info("seen {what}", what="this")
        log.stopService()
        Logger(namespace="here").info("seen {what}", what="no more")
        events = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual([(event["log_namespace"], event["what"]) for event in events], [("here", "this")])

    def test_quiet_collector(self) -> None:
        """What is there when the reactor begins to run is set aside."""
        self.addCleanup(gc.unfreeze)
        reactor = MemoryReactor()
        QuietCollector(reactor).startService()
        before = gc.get_freeze_count()
        for call, arguments, keywords in reactor.whenRunningHooks:
            call(*arguments, **keywords)
        self.assertGreater(gc.get_freeze_count(), before)


class OptionTests(SynchronousTestCase):
    """Bad values are one line on standard error, and name the option."""

    def refused(self, *words: str) -> str:
        self.patch(sys, "__stderr__", open(os.devnull, "w"))  # noqa: SIM115 - closed by the cleanup
        self.addCleanup(sys.__stderr__.close)
        options = Options()
        error = self.assertRaises(CannotStart, lambda: (options.parseOptions(words), options.endpoint("listen", None)))
        self.assertEqual(error.code, 1)
        self.assertNotIn("\n", str(error))
        return str(error)

    def test_values(self) -> None:
        """Each kind of wrong value says what belongs there."""
        for words, said in (
            (("--count", "0"), "--count 0: a whole number from 1 to 9"),
            (("--count", "1" * 30), "a whole number from 1 to 9"),
            (("--count", "²"), "a whole number"),
            (("--time", "nan"), "--time nan: a time in seconds"),
            (("--time", "inf"), "--time inf: a time in seconds"),
            (("--time", "soon"), "--time soon: a time in seconds"),
            (("--listen", "nonsense:1"), "--listen nonsense:1 is no endpoint"),
            (("--listen", "systemd:domain=INET:index=7"), "no socket of that index was passed by systemd"),
            (("foo",), "'foo' belongs to no option"),
            (("--nope",), "option --nope not recognized"),
        ):
            self.assertIn(said, self.refused(*words))

    def test_no_tls(self) -> None:
        """Without the extra, a TLS endpoint says how to get it."""

        def without_openssl(*_: object) -> None:
            raise ImportError("No module named 'OpenSSL'")

        self.patch(daemon_module, "serverFromString", without_openssl)
        self.assertIn("pip install 'netlab-daemons[tls]'", self.refused("--listen", "ssl:0:privateKey=a:certKey=b"))

    def test_addresses(self) -> None:
        """Addresses are written as people write them."""
        self.assertEqual(address_text(IPv4Address("TCP", "127.0.0.1", 9)), "127.0.0.1:9")
        self.assertEqual(address_text(IPv6Address("TCP", "::1", 9)), "[::1]:9")
        self.assertEqual(address_text(UNIXAddress("/run/s")), "/run/s")
        self.assertEqual(address_text(UNIXAddress(None)), "unix")

    def test_allow_files(self) -> None:
        """The soft limit is raised as far as needed and allowed, and never lowered."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
        allow_files(100)
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (300, hard))
        allow_files(400)
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (500, hard))


class EndpointTests(SynchronousTestCase):
    """``--listen``."""

    def endpoint(self, text: str) -> object:
        options = DaemonOptions()
        options["listen"] = text
        return options.endpoint("listen", Clock())

    def test_backlog(self) -> None:
        """TCP gets room for a crowd unless the user said how much; other endpoints are left as they are."""
        for text, backlog in (("tcp:9999", 1024), ("tcp:0:interface=127.0.0.1", 1024), ("tcp:1:backlog=7", 7)):
            self.assertEqual(vars(self.endpoint(text))["_backlog"], backlog)
        self.assertEqual(vars(self.endpoint("unix:s"))["_backlog"], 50)

    def test_nonsense(self) -> None:
        """A wrong one is shown as it was written."""
        for text in ("tcp:", "tcp:x", "nonsense:1", ""):
            error = self.assertRaises(CannotStart, self.endpoint, text)
            self.assertIn(f"--listen {text} is no endpoint", str(error))
            self.assertNotIn("backlog", str(error))


class TwistdTests(SynchronousTestCase):
    """A daemon under twistd, in ways that no lab's own tests go."""

    def test_daemonized(self) -> None:
        """Without -n, what cannot start says so, exits with 1 and leaves no pidfile; what can, runs until SIGTERM."""
        folder = temporary_folder(self)
        command = [twistd(), "--pidfile=x.pid", "--logfile=x.log", "netlab-calc", "--listen"]
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            busy = self.run_twistd(folder, *command, f"tcp:{port}:interface=127.0.0.1")
        self.assertEqual(busy.returncode, 1, busy)
        self.assertIn("netlab-calc: cannot listen on", busy.stdout + busy.stderr)
        # The daemon takes it away after it has told why it ends.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            self.assertTrue(_ends(self.pidfd(folder / "x.pid")))
        self.assertFalse((folder / "x.pid").exists())
        good = self.run_twistd(folder, *command, f"unix:{folder}/s")
        self.assertEqual(good.returncode, 0, good)
        descriptor = self.pidfd(folder / "x.pid")
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        self.assertTrue(_ends(descriptor))

    def pidfd(self, pidfile: Path) -> int:
        descriptor = os.pidfd_open(int(pidfile.read_text()))
        self.addCleanup(os.close, descriptor)
        return descriptor

    def run_twistd(self, folder: os.PathLike[str], *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=quiet_environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def test_interrupted_twice(self) -> None:
        """Two signals while it stops are as good as one: exit 0, and no traceback in the log."""
        with (
            Daemon(temporary_folder(self), "netlab-calc", "--listen", "tcp:0:interface=127.0.0.1") as daemon,
            socket.create_connection(("127.0.0.1", daemon.port)) as client,
        ):
            client.sendall(b"half")
            daemon.wait_for("Connection established")
            daemon.process.send_signal(signal.SIGINT)
            daemon.wait_for(r"Port \d+ Closed")
            daemon.process.send_signal(signal.SIGTERM)
            client.close()
            self.assertEqual(daemon.wait(), 0)
            self.assertIsNone(re.search("Traceback", daemon.log))

    def test_end_of_json_log(self) -> None:
        """The JSON log has the end of the story, and a log that cannot be written is told before anything listens."""
        folder = temporary_folder(self)
        arguments = ("--listen", "tcp:0:interface=127.0.0.1", "--log-json")
        with Daemon(folder, "netlab-calc", *arguments, str(folder / "log")) as daemon:
            client = socket.create_connection(("127.0.0.1", daemon.port))
            self.addCleanup(client.close)
            daemon.wait_for("Connection established")
        told = [json.loads(line).get("log_format", "") for line in (folder / "log").read_text().splitlines()]
        self.assertIn("{name} has stopped", told)
        self.assertTrue(any("Connection closed" in line for line in told), told)
        ended = self.run_twistd(folder, twistd(), "-n", "--pidfile=", "netlab-calc", *arguments, str(folder))
        self.assertEqual(
            (ended.returncode, ended.stderr), (1, f"netlab-calc: cannot write the log {folder}: Is a directory\n")
        )
        self.assertNotIn("listens on", ended.stdout)


def _ends(descriptor: int) -> bool:
    """Whether the process behind a pidfd, which is no child of ours, ends."""
    return bool(select.select([descriptor], [], [], PATIENCE)[0])
