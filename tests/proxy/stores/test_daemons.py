"""Real proxies with real stores before a real calculator: who still has an answer when it is stopped."""

import signal
import sqlite3
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs import json_body
from netlab.calc.header import SERVER_ERROR, Header, encode_packet
from tests.calc.test_daemon import Client
from tests.daemons import Daemon, run_to_its_end
from tests.parts import temporary_folder
from tests.proxy.stores.redis_server import RedisServer

LISTEN = ("--listen", "tcp:0:interface=127.0.0.1")


def request(text: str) -> bytes:
    """A request for an answer from the cache, as old as may be."""
    body = json_body.write_expression(text)
    return encode_packet(body, timestamp=0, request=True, cache=True, max_age=0xFFFF)


def ask(daemon: Daemon, text: str) -> bytes:
    """What ``daemon`` answers."""
    with Client(daemon.port) as client:
        client.send(request(text))
        return client.packet()


class StoreDaemonTests(SynchronousTestCase):
    """``twistd -n netlab-proxy --store …``."""

    def setUp(self) -> None:
        """A folder for the daemons, and a calculator."""
        self.folder = temporary_folder(self)
        self.calculator = self.daemon("calculator", "netlab-calc")

    def daemon(self, name: str, tap: str, *options: str) -> Daemon:
        """Start one."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        daemon = Daemon(folder, tap, *LISTEN, *options)
        self.addCleanup(daemon.kill)
        return daemon

    def proxy(self, name: str, store: str, *options: str) -> Daemon:
        """Start a proxy before the calculator."""
        upstream = f"tcp:127.0.0.1:{self.calculator.port}"
        return self.daemon(name, "netlab-proxy", "--upstream", upstream, "--store", store, *options)

    def fails(self, answer: bytes) -> None:
        """It says that no upstream could be reached."""
        self.assertEqual(Header.decode(answer).status, SERVER_ERROR)

    def test_two_proxies_share_a_redis(self) -> None:
        """What one stored the other serves, the same bytes, without asking the calculator, which is gone by then."""
        server = RedisServer(self)
        url = f"redis://127.0.0.1:{server.port}/0"
        one, two = self.proxy("one", url), self.proxy("two", url)
        answer = ask(one, "6 * 7")
        self.assertTrue(any(server.ask("DBSIZE") == b":1" for _ in range(10_000)))
        self.calculator.stop()
        self.assertEqual(ask(two, "6 * 7"), answer)
        two.wait_for("Cache hit")
        self.fails(ask(two, "6 * 8"))
        one.stop()
        two.stop()

    def test_redis_dies_and_comes_back(self) -> None:
        """Without Redis a proxy serves on, from its memory and the calculator, and says so; then it shares again."""
        server = RedisServer(self)
        one = self.proxy("one", f"redis://127.0.0.1:{server.port}/0", "--no-request-log")
        answer = ask(one, "6 * 7")
        server.kill()
        self.assertEqual(ask(one, "6 * 7"), answer)
        self.assertFalse(Header.decode(ask(one, "6 * 8")).status == SERVER_ERROR)
        one.wait_for("does not work, reading is off and serving goes on without: Redis: ")
        server.restart()
        shared = (f"{number} + 1" for number in range(10_000))
        # Whether storing and reading work again is each found out when somebody asks.
        while server.ask("DBSIZE") == b":0" or not one.has_said("works again: reading is on"):
            ask(one, next(shared))
        one.stop()

    def test_sqlite_survives_kill(self) -> None:
        """After kill -9 a new proxy on the same file serves what the old one had answered, with the same bytes."""
        path = self.folder / "answers.sqlite"
        one = self.proxy("one", f"sqlite:{path}")
        texts = [f"{number} * 7" for number in range(20)]
        answers = [ask(one, text) for text in texts]
        wait_for_rows(path, len(texts))
        one.process.send_signal(signal.SIGKILL)
        one.wait()
        self.calculator.stop()
        two = self.proxy("two", f"sqlite:{path}")
        self.assertEqual([ask(two, text) for text in texts], answers)
        self.fails(ask(two, "6 * 8"))
        two.stop()
        self.assertEqual([each.name for each in self.folder.glob("answers*")], ["answers.sqlite"])

    def test_stopping_stores_what_is_on_its_way(self) -> None:
        """SIGTERM right after an answer: the next run has it."""
        path = self.folder / "answers.sqlite"
        one = self.proxy("one", f"sqlite:{path}")
        answer = ask(one, "6 * 7")
        one.stop()
        self.calculator.stop()
        two = self.proxy("two", f"sqlite:{path}")
        self.assertEqual(ask(two, "6 * 7"), answer)
        two.stop()

    def test_refused(self) -> None:
        """A file that is not ours: one line, exit 1, no byte of it changed, and nothing beside it."""
        path = self.folder / "letters.sqlite"
        path.write_bytes(b"Dear store,\n")
        done = run_to_its_end(self.folder, "netlab-proxy", *LISTEN, "--store", f"sqlite:{path}")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"--store sqlite:{path} is no SQLite file\n", done.stderr)
        self.assertNotIn("Traceback", done.stdout + done.stderr)
        self.assertNotIn("listens on", done.stdout)
        self.assertEqual(path.read_bytes(), b"Dear store,\n")
        self.assertEqual(list(self.folder.glob("*letters*")), [path])


def wait_for_rows(path: Path, count: int) -> None:
    """Look into the file, as another program may, until so many answers are in it."""
    connection = sqlite3.connect(path)
    try:
        for _ in range(100_000):
            if connection.execute("SELECT entries FROM totals").fetchone()[0] >= count:
                return
    finally:
        connection.close()
    raise AssertionError(f"{path} never had {count} rows")
