"""Where to connect, as a person writes it."""

from __future__ import annotations

import subprocess
import sys

import click
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, UNIXClientEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from netlab.cli.endpoints import endpoint_of
from tests.calc.cases import for_each


class EndpointTests(SynchronousTestCase):
    """Short forms and Twisted's."""

    def connects_to(self, text: str) -> tuple[object, ...]:
        """The host and the port that the endpoint connects to."""
        endpoint = endpoint_of(MemoryReactorClock(), text)
        assert isinstance(endpoint, HostnameEndpoint)
        host = endpoint._hostText
        return host, endpoint._port

    def test_short(self) -> None:
        """Host and port, this machine where there is no host, and brackets around an IPv6 address."""
        for text, expected in {
            "127.0.0.1:9999": ("127.0.0.1", 9999),
            ":9998": ("127.0.0.1", 9998),
            "tcp:9999": ("127.0.0.1", 9999),
            "localhost:1": ("localhost", 1),
            "calc.example.org:65535": ("calc.example.org", 65535),
            "[::1]:9999": ("::1", 9999),
        }.items():
            self.assertEqual(self.connects_to(text), expected)

    def test_twisted(self) -> None:
        """What Twisted knows as a client endpoint is one."""
        reactor = MemoryReactorClock()
        self.assertIsInstance(endpoint_of(reactor, "tcp:localhost:9999"), TCP4ClientEndpoint)
        for text in ("tcp:host=localhost:port=9999", "tcp:localhost:port=1", r"tcp:\:\:1:65535", "tcp:a:9:timeout=3"):
            self.assertIsInstance(endpoint_of(reactor, text), TCP4ClientEndpoint)
        self.assertIsInstance(endpoint_of(reactor, "unix:/run/calc.sock"), UNIXClientEndpoint)

    def test_tls_missing(self) -> None:
        """Without the tls extra its endpoints are not nonsense: the error says what to install."""
        words = ["calc", "--connect", "tls:127.0.0.1:9999", "1"]
        script = f"import sys; sys.modules['OpenSSL'] = None; from netlab.cli.main import run; sys.exit(run({words}))"
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr.count("\n")), (2, 1))
        self.assertIn("pip install 'netlab-daemons[tls]'", result.stderr)

    @for_each(
        [
            *("9999", "localhost", "localhost:0", ":65536", "nothing:1:2", "", "tcp:9999:interface=::1"),
            *("tcp:localhost:x", "tcp:localhost", "tcp:localhost:99999", "tcp:localhost:0", "tcp:localhost:port=65536"),
            *("tcp:host=localhost", "tcp", "tcp:", "unix", "unix:", "tcp:::1:9999", "=", ":", "tcp:a:b=1:2:3"),
        ]
    )
    def test_refused(self, text: str) -> None:
        """Everything else is bad usage, and says what would be right."""
        error = self.assertRaises(click.UsageError, endpoint_of, MemoryReactorClock(), text)
        self.assertIn("HOST:PORT", str(error))
