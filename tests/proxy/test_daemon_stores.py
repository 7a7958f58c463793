"""Answers that outlive a real proxy."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

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


class StoreTests(DaemonCase):
    """In a file, and in Redis."""

    def test_survives_restart(self) -> None:
        """With a file, what one run stored the next one serves, after kill -9 as after SIGTERM."""
        file = temporary_folder(self) / "answers.db"
        store = ("--store", f"sqlite:{file}")
        with self.calc() as calc:
            with self.proxy(calc.port, *store) as proxy:
                first = ask(proxy.port, LONG.request)
            with self.proxy(calc.port, *store) as proxy:
                self.assertEqual(ask(proxy.port, LONG.request), first)
                proxy.wait_for("Cache hit")
                other = ask(proxy.port, SHORT.request)
                self.wait_for_rows(file, 2)
                kill(proxy)
            with self.proxy(self.refused_port(), *store) as proxy:
                self.assertEqual(ask(proxy.port, SHORT.request), other)
                self.assertEqual(ask(proxy.port, LONG.request), first)
        self.assertEqual(calc.log.count("Got request"), 2)

    def wait_for_rows(self, file: Path, count: int) -> None:
        """Look into the file until so many answers are stored, which clients do not wait for."""
        end = time.monotonic() + PATIENCE
        with closing(sqlite3.connect(file)) as connection:
            while connection.execute("SELECT entries FROM totals").fetchone() != (count,):
                self.assertLess(time.monotonic(), end)

    def test_shared_by_two(self) -> None:
        """Two proxies share a Redis: what one stored the other serves, its upstream never being asked."""
        redis = RedisServer(self)
        store = ("--store", f"redis://127.0.0.1:{redis.port}/3")
        with (
            self.calc() as calc,
            self.proxy(calc.port, *store) as one,
            self.proxy(self.refused_port(), *store) as other,
        ):
            first = ask(one.port, LONG.request)
            deadline = time.monotonic() + PATIENCE  # storing is not waited for by clients
            while (answer := ask(other.port, LONG.request)) != first and time.monotonic() < deadline:
                self.assert_outage(answer)
            self.assertEqual(answer, first)
            other.wait_for("Cache hit")
            redis.kill()
            self.assertEqual(ask(other.port, LONG.request), first)
            self.assertEqual(ask(one.port, SHORT.request)[12:], SHORT.body)
        self.assertEqual(calc.log.count("Got request"), 2)
