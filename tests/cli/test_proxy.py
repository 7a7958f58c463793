"""``netlab proxy``: a running proxy looked into from the command line."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from netlab.cli import proxy as command
from netlab.cli.control_call import PATIENCE
from netlab.cli.control_call import ask as ask_control
from netlab.cli.terminal import Failed
from netlab.proxy.stores import redis, sqlite
from tests.cli.command import Result, netlab
from tests.daemons import Daemon
from tests.parts import temporary_folder
from tests.proxy.daemon_cases import FREE, LONG, SHORT, ask, request


class ProxyCommandTests(SynchronousTestCase):
    """With real daemons, and with none."""

    def test_session(self) -> None:
        """What a person sees of a miss, a hit, a reload, the keys, and of a purge."""
        control = str(temporary_folder(self) / "control")
        with (
            Daemon(temporary_folder(self), "netlab-calc", "--listen", FREE) as calc,
            Daemon(
                temporary_folder(self), "netlab-proxy", "--listen", FREE,
                "--upstream", f"tcp:127.0.0.1:{calc.port}", "--control", control,
            ) as proxy,
        ):  # fmt: skip
            self.assertIn("has answered nothing yet", netlab("proxy", "explain", "--control", control).stdout)
            self.assertIn("Nothing is stored", netlab("proxy", "keys", "--control", control).stdout)
            for frame in (SHORT.request, SHORT.request, LONG.request, request("max(2, 3) + 3", max_age=0)):
                ask(proxy.port, frame)
            told = netlab("proxy", "--control", control, "explain").stdout
            self.assertIn("max(2, 3) + 3 (pickle, with steps)", told)
            self.assertIn("  Cache hit ,server time remaining: inf, client time remaining: inf", told)
            self.assertIn("  Cache-Status: netlab-proxy; fwd=uri-miss; stored", told)
            self.assertIn("  not stored: the request asks to reload: its max-age is 0", told)
            self.assertRegex(told, r"what was stored: server max-age inf s - age \d\.\d+ s = inf s")
            self.assertIn("sent: status 200, 60 bytes for 376", told)
            self.assertEqual(netlab("proxy", "explain", "--last", "1", "--control", control).stdout.count("key:"), 1)
            facts = json.loads(netlab("proxy", "stats", "--json", NETLAB_PROXY_CONTROL=control).stdout)
            self.assertEqual((facts["requests"]["hit"], facts["store"]["entries"]), (1, 2))
            self.assertRegex(netlab("proxy", "stats", "--control", control).stdout, r"(?s)hit +1\n.*working")
            keys = [
                json.loads(line) for line in netlab("proxy", "keys", "--json", "--control", control).stdout.splitlines()
            ]
            self.assertEqual(len(keys), 2)
            name = next(key["key"] for key in keys if key["expression"] == "max(2, 3) + 3")
            self.assert_says(netlab("proxy", "purge", name, "--control", control), 0, "Removed 1 stored answer.\n")
            self.assert_says(
                netlab("proxy", "purge", name, "--control", control),
                1,
                "Removed 0 stored answers.\n",
                "nothing is stored",
            )
            self.assert_says(netlab("proxy", "purge", "--all", "--control", control), 0, "Removed 1 stored answer.\n")
            self.assert_says(netlab("proxy", "purge", "zz", "--control", control), 1, "", "hexadecimal digits")

    def assert_says(self, result: Result, code: int, out: str, error: str = "") -> None:
        self.assertEqual((result.returncode, result.stdout), (code, out), result)
        self.assertIn(error, result.stderr)
        self.assertLessEqual(result.stderr.count("\n"), 1)

    def test_no_proxy(self) -> None:
        """Without a proxy there, or with another program there, one line says what to do."""
        folder = temporary_folder(self)
        self.assert_says(netlab("proxy", "stats"), 2, "", "give the proxy's control socket: --control PATH")
        self.assert_says(
            netlab("proxy", "stats", "--control", str(folder / "x")), 1, "", "start one with twistd netlab-proxy"
        )
        self.assert_says(netlab("proxy", "purge", "--control", str(folder / "x")), 2, "", "name of a key, or --all")
        self.assert_says(netlab("proxy", "explain", "--last", "0", "--control", "x"), 2, "", "--last")
        for answer in (b"hello\n", b"[]\n", b"", b'{"result"'):
            path = folder / f"wrong{len(answer)}"
            self.serve(path, answer)
            said = netlab("proxy", "stats", "--control", str(path))
            self.assert_says(said, 1, "", f"what listens at {path} ")
            self.assertIn("is it a proxy's control socket, and does that proxy run?", said.stderr)
        for place, words in (
            (folder, "is no socket; give the path that the proxy was started with"),
            ("/etc/passwd", "is no socket; give the path that the proxy was started with"),
            ("/etc/passwd/x", "cannot be asked: Not a directory"),
            ("x" * 120, "cannot be asked: AF_UNIX path too long"),
        ):
            said = netlab("proxy", "stats", "--control", str(place))
            self.assert_says(said, 1, "", words)
            self.assertNotIn("start one", said.stderr)

    def test_wrong_words(self) -> None:
        """A key and all of them is not both; a proxy that is gone is not one that never was."""
        path = str(temporary_folder(self) / "x")
        self.assert_says(netlab("proxy", "purge", "ab", "--all", "--control", path), 2, "", "or --all, not both")
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(path)
        self.assert_says(netlab("proxy", "stats", "--control", path), 1, "", f"no proxy listens at {path} any more; ")

    def test_halted(self) -> None:
        """A proxy that is there and does not answer is not told to be none; callers in its way are told of."""
        path = str(temporary_folder(self) / "x")
        with socket.socket(socket.AF_UNIX) as halted, socket.socket(socket.AF_UNIX) as other:
            halted.bind(path)
            halted.listen(0)
            error = self.assertRaises(Failed, ask_control, path, 0.05, do="stats")
            self.assertIn(f"the proxy at {path} did not answer within 0.05 s; it is halted or busy", str(error))
            halted.accept()[0].close()
            other.connect(path)
            error = self.assertRaises(Failed, ask_control, path, 0.05, do="stats")
            self.assertIn("as many callers wait as may", str(error))

    def test_patience(self) -> None:
        """What goes through the whole store is waited for as long as the store may take, and a little longer."""
        asked: dict[str, float] = {}

        def answer(_: str, patience: float = PATIENCE, **question: str) -> int:
            asked[question["do"]] = patience
            return 0

        self.patch(command, "ask", answer)
        CliRunner().invoke(command.proxy, ["purge", "--all", "--control", "x"])
        CliRunner().invoke(command.proxy, ["stats", "--control", "x"])
        for store in (sqlite, redis):
            self.assertGreater(asked["purge"], store._PATIENCE)
        self.assertEqual(asked["stats"], PATIENCE)

    def serve(self, path: Path, answer: bytes) -> None:
        """Another program's socket, which says ``answer`` to the first who asks."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(path))
        listener.listen()

        def run() -> None:
            caller, _ = listener.accept()
            with caller:
                caller.recv(4_096)
                caller.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
