"""The control socket of a real proxy, by its own protocol."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path
from typing import Any

from tests.daemons import PATIENCE
from tests.parts import temporary_folder
from tests.proxy.daemon_cases import (
    LONG,
    SHORT,
    DaemonCase,
    ask,
    kill,
)
from tests.proxy.stores.redis_server import RedisServer


class ControlTests(DaemonCase):
    """Questions and answers, and whose the socket is."""

    def ask(self, path: Path, *lines: bytes) -> list[Any]:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(PATIENCE)
            control.connect(str(path))
            control.sendall(b"".join(line + b"\n" for line in lines))
            with control.makefile("rb") as answers:
                return [json.loads(answers.readline()) for _ in lines]

    def test_life(self) -> None:
        """Only the owner may open it; it goes with the proxy; a dead proxy's is replaced."""
        path = temporary_folder(self) / "control"
        with self.calc() as calc:
            with self.proxy(calc.port, "--control", str(path)) as proxy:
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)
                kill(proxy)
            self.assertTrue(path.exists())
            with self.proxy(calc.port, "--control", str(path)):
                answer = self.ask(path, b'{"do": "stats"}')[0]["result"]
                self.assertEqual(answer["store"]["entries"], 0)
            self.assertFalse(path.exists())

    def test_second_proxy(self) -> None:
        """A second proxy is refused, and the first one's socket stays where it is; so does that of a halted one."""
        path = temporary_folder(self) / "control"
        with self.calc() as calc, self.proxy(calc.port, "--control", str(path)) as proxy:
            for number in (signal.SIGCONT, signal.SIGSTOP):
                proxy.process.send_signal(number)
                error = self.assertRaises(AssertionError, self.proxy, calc.port, "--control", str(path))
                self.assertIn(f"another proxy listens on --control {path}; give this one another path", str(error))
            proxy.process.send_signal(signal.SIGCONT)
            self.assertEqual(list(self.ask(path, b'{"do": "stats"}')[0]), ["result"])

    def test_purge_without_redis(self) -> None:
        """With Redis gone a purge says what was removed all the same, and what was perhaps not."""
        folder, redis = temporary_folder(self), RedisServer(self)
        options = ("--control", str(folder / "control"), "--store", f"redis://127.0.0.1:{redis.port}/0")
        with self.calc() as calc, self.proxy(calc.port, *options) as proxy:
            ask(proxy.port, SHORT.request)
            redis.kill()
            purge, one, stats = b'{"do": "purge", "all": true}', b'{"do": "purge", "key": "0123"}', b'{"do": "stats"}'
            purged, unknown, known = self.ask(folder / "control", purge, one, stats)
            told = f"removed from memory, but perhaps not from redis://127.0.0.1:{redis.port}/0: Redis: "
            self.assertIn(told, purged["error"])
            self.assertIn(f"not in memory, and perhaps in redis://127.0.0.1:{redis.port}/0: Redis: ", unknown["error"])
            self.assertEqual(known["result"]["store"]["entries"], 0)

    def test_questions(self) -> None:
        """Stats, explain, keys and purge say and do what was asked, in order, over one connection."""
        path = temporary_folder(self) / "control"
        with self.calc() as calc, self.proxy(calc.port, "--control", str(path)) as proxy:
            for _ in range(2):
                ask(proxy.port, SHORT.request)
            ask(proxy.port, LONG.request)
            stats, explained, keys = self.ask(
                path, b'{"do": "stats"}', b'{"do": "explain", "last": 2}', b'{"do": "keys"}'
            )
            self.assertEqual(stats["result"]["requests"], {"hit": 1, "fwd=uri-miss": 2, "stored": 2})
            self.assertEqual(stats["result"]["upstreams"][0]["state"], "working")
            hit, miss = explained["result"]
            self.assertEqual(hit["cache_status"], "netlab-proxy; hit")
            self.assertEqual(hit["expression"], SHORT.text)
            self.assertEqual(hit["stored"]["server_remaining"], "inf")
            self.assertEqual(miss["cache_status"], "netlab-proxy; fwd=uri-miss; stored")
            name = hit["key"]
            self.assertEqual({key["expression"] for key in keys["result"]}, {SHORT.text, miss["expression"]})
            purged, again, everything = self.ask(
                path,
                json.dumps({"do": "purge", "key": name.upper()}).encode(),
                json.dumps({"do": "purge", "key": name}).encode(),
                b'{"do": "purge", "all": true}',
            )
            self.assertEqual([purged, again, everything], [{"result": 1}, {"result": 0}, {"result": 1}])
            ask(proxy.port, SHORT.request)
            proxy.wait_for(r"(?s)(Cache miss, response cached.*){3}")

    def test_bad_questions(self) -> None:
        """Nonsense is answered with an error; floods and endless lines are cut off; the proxy lives."""
        path = temporary_folder(self) / "control"
        with self.calc() as calc, self.proxy(calc.port, "--control", str(path)) as proxy:
            bad = [b"nonsense", b"[]", b"{}", b'{"do": []}', b'{"do": "explain", "last": -1}', b"[" * 4_000, b"\xff"]
            for answer in self.ask(path, *bad):
                self.assertEqual(list(answer), ["error"])
            for flood in (b"x" * 100_000, b'{"do": "keys"}\n' * 4_000):
                with socket.socket(socket.AF_UNIX) as control:
                    control.settimeout(PATIENCE)
                    control.connect(str(path))
                    try:
                        control.sendall(flood)
                        while control.recv(65_536):
                            pass
                    except OSError:
                        continue
            self.assertEqual(list(self.ask(path, b'{"do": "stats"}')[0]), ["result"])
            self.assertNotIn("Traceback", proxy.log)
