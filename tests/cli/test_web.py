"""``netlab web`` as a process: against a daemon, without one, and with words that make no sense."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from netlab.web.sample import SAMPLE
from tests.cli.command import netlab
from tests.daemons import Daemon
from tests.parts import temporary_folder


class WebCommandTests(SynchronousTestCase):
    """The command."""

    def daemon(self) -> Daemon:
        words = ("--listen", "tcp:0:interface=127.0.0.1", "--idle-timeout", "20")
        return Daemon(temporary_folder(self), "netlab-web", *words)

    def test_sample(self) -> None:
        """Without a daemon it serves the sample site itself, and fetches all of it over up to 6 connections."""
        run = netlab("web", "--sample")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("the sample site is served on http://127.0.0.1:", run.stdout)
        self.assertIn("GET /redirect: 301 Moved Permanently, ", run.stdout)
        self.assertRegex(run.stdout, r"16 requests over [1-6] connections, [\d,]+ bytes\n$")

    def test_against_a_daemon(self) -> None:
        """Fields, reuse, ranges, bodies, JSON."""
        with self.daemon() as daemon:
            server = f"127.0.0.1:{daemon.port}"
            run = netlab("web", "/", "/missing", "--connect", server)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn("GET /: 200 OK, 678 bytes in ", run.stdout)
            self.assertIn("\n  Content-Type: text/html; charset=utf-8\n", run.stdout)
            self.assertRegex(run.stdout, r"GET /missing: 404 Not Found, .* \(connection 1, request 2 on it\)")
            run = netlab("web", f"http://{server}/images/noise.png", "-H", "Range: bytes=1-3", "--body")
            self.assertEqual(run.stdout, "PNG")
            run = netlab("web", "/", "/", "--close", "--head", "--json", "--connect", server)
            lines = [json.loads(line) for line in run.stdout.splitlines()]
            self.assertEqual(
                [(line["status"], line["connection"], line["bytes"]) for line in lines], [(200, 1, 0), (200, 2, 0)]
            )
            run = netlab("web", "/missing", "--body", "--connect", server)
            self.assertIn("/missing: 404 Not Found", run.stderr)
            run = netlab("web", "--sample", "--connect", server)
            self.assertNotIn("is served on", run.stdout)
            self.assertIn(f"{(SAMPLE / 'index.html').stat().st_size:,} bytes", run.stdout)

    def test_refused(self) -> None:
        """Each mistake is one line that says what to do."""
        for words, said, code in (
            ((), "give a URL such as /index.html, or --sample", 2),
            (("/", "--body", "--json"), "either --body or --json", 2),
            (("/", "--connect", "nonsense"), "is no endpoint", 2),
            (("index.html",), "neither a path that begins with /", 1),
            (("https://a/",), "--connect tls:HOST:PORT", 1),
            (("http://a/", "http://b/"), "one server at a time", 1),
            (("/", "-H", "x"), "is no field such as", 1),
            (("/", "--connect", "127.0.0.1:1"), "start a server with: twistd -n netlab-web", 1),
        ):
            run = netlab("web", *words)
            self.assertEqual((run.returncode, run.stdout), (code, ""), words)
            self.assertIn(said, run.stderr, words)
            self.assertEqual(run.stderr.count("\n"), 1, words)
