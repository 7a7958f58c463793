"""The command line of ``twistd netlab-proxy``."""

from __future__ import annotations

import socket

from tests.daemons import run_to_its_end
from tests.parts import temporary_folder
from tests.proxy.daemon_cases import (
    FREE,
    LONG,
    DaemonCase,
    ask,
    request,
)


class OptionTests(DaemonCase):
    """What options do, and which are refused."""

    def test_refusals(self) -> None:
        """What cannot start says so in one line and exits with 1."""
        folder = temporary_folder(self)
        foreign = folder / "foreign.db"
        foreign.write_bytes(b"This is a letter, and no database." * 40)
        (folder / "file").write_text("a file")
        with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket(socket.AF_UNIX) as control:
            control.bind(str(folder / "live"))
            control.listen()
            port = taken.getsockname()[1]
            for arguments, line in (
                (("--listen", f"tcp:{port}:interface=127.0.0.1"), "cannot listen on .*Address already in use"),
                (("--listen", "nonsense:1"), "--listen nonsense:1 is no endpoint"),
                (("--upstream", "nonsense"), "--upstream 'nonsense' is no endpoint; give HOST:PORT"),
                (("--upstream", "tcp:127.0.0.1:99999"), "no endpoint: its port is '99999', and ports are 1 to 65535"),
                (
                    ("--upstream", "tcp:127.0.0.1"),
                    "--upstream 'tcp:127.0.0.1' is no endpoint: it has no port; give HOST:PORT",
                ),
                (("--store", "postgres://x"), "'postgres://x' is no store; give memory:, sqlite:PATH or redis://"),
                (("--store", f"sqlite:{foreign}"), "foreign.db is no SQLite file"),
                (("--store", "sqlite:/nowhere/at/all.db"), "/nowhere/at/all.db cannot be used: No such file"),
                (("--min-ttl", "9", "--max-ttl", "3"), "--min-ttl 9 is more than --max-ttl 3"),
                (("--max-ttl", "70000"), "--max-ttl 70000: a whole number from 0 to 65,535"),
                (("--pipeline", "0"), "--pipeline 0: a whole number from 1"),
                (("--answer-timeout", "never"), "--answer-timeout never: a time in seconds"),
                (("--control", str(folder / "live")), "another program listens on --control .*live; give this one"),
                (("--control", str(folder / "file")), "--control .*file is there already and is no socket"),
                (("--control", str(folder / "file" / "x")), "cannot listen on --control .*/file/x: Not a directory"),
                (("--control", str(folder / ("x" * 120))), "cannot listen on --control .*x: AF_UNIX path too long"),
                (("--control", ""), "--control : the path of a UNIX socket belongs here"),
                (("--control", "/nowhere/s"), "cannot listen on --control /nowhere/s: No such file"),
                (("--what",), "option --what not recognized"),
            ):
                ended = run_to_its_end(folder, "netlab-proxy", "--listen", FREE, *arguments)
                self.assertEqual(ended.returncode, 1, ended)
                self.assertRegex(ended.stderr, line)
                self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)
        self.assertEqual([path.name for path in folder.iterdir() if path.suffix == ".lock"], [])
        self.assertEqual(foreign.read_bytes()[:16], b"This is a letter")
        self.assertEqual((folder / "file").read_text(), "a file")

    def test_no_request_log(self) -> None:
        """--no-request-log leaves requests and decisions out."""
        with self.calc() as calc, self.proxy(calc.port, "--no-request-log") as proxy:
            for _ in range(2):
                ask(proxy.port, LONG.request)
        self.assertNotIn("Cache", proxy.log)
        self.assertNotIn("Got request", proxy.log)

    def test_ttl_clamped(self) -> None:
        """--min-ttl and --max-ttl win over what servers say."""
        with (
            self.calc("--max-age", "600") as calc,
            self.proxy(calc.port, "--max-ttl", "1", "--max-connections", "5") as short,
            self.proxy(calc.port, "--min-ttl", "700") as long,
        ):
            for proxy in (short, long):
                ask(proxy.port, request("3 * 3"))
            short.wait_for(r"response cached ,server time remaining: [01]\.")
            long.wait_for(r"response cached ,server time remaining: (700|699)\.")
