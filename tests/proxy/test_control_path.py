"""Whose the path of a control socket is, however proxies start and stop at the same time."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Barrier, Thread

from twisted.trial.unittest import SynchronousTestCase

from netlab.common.daemon import CannotStart
from netlab.proxy.control_path import ControlPath
from tests.parts import temporary_folder

#: Proxies that start at once, and how often.
_CROWD = 4
_ROUNDS = 25


class ControlPathTests(SynchronousTestCase):
    """The lock beside the socket."""

    def setUp(self) -> None:
        """Nothing there yet."""
        self.folder = temporary_folder(self)
        self.path = self.folder / "control"

    def refusal(self) -> str:
        """Why the path cannot be had."""
        return str(self.assertRaises(CannotStart, ControlPath(str(self.path)).take))

    def leave_dead_socket(self) -> None:
        """A socket on which nobody listens any more."""
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(self.path))

    def test_one_after_another(self) -> None:
        """While one has the path no other does; afterwards the next has it, and nothing stays behind."""
        one = ControlPath(str(self.path))
        for _ in range(2):
            one.take()
            self.assertIn("another proxy listens on", self.refusal())
            one.release()
            self.assertEqual(list(self.folder.iterdir()), [])

    def test_all_at_once(self) -> None:
        """Of proxies that start together before a dead one's socket one wins, and nobody removes what it then makes."""
        for _ in range(_ROUNDS):
            self.leave_dead_socket()
            winners: list[ControlPath] = []
            barrier = Barrier(_CROWD)
            crowd = [Thread(target=self.start, args=(barrier, winners)) for _ in range(_CROWD)]
            for thread in crowd:
                thread.start()
            for thread in crowd:
                thread.join()
            self.assertEqual(len(winners), 1)
            self.assertTrue(self.path.exists())
            self.path.unlink()
            winners[0].release()

    def start(self, barrier: Barrier, winners: list[ControlPath]) -> None:
        """Start as a proxy does: have the path, then make the socket."""
        place = ControlPath(str(self.path))
        barrier.wait()
        try:
            place.take()
        except CannotStart:
            return
        self.leave_dead_socket()
        winners.append(place)

    def test_taken(self) -> None:
        """What others have there stays, whoever they are: listening, too busy to answer, of another kind, no socket."""
        with socket.socket(socket.AF_UNIX) as stream, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            stream.bind(str(self.path))
            stream.listen(0)
            self.assertIn("another program listens on", self.refusal())
            stream.accept()[0].close()
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(self.path))
                self.assertIn("is too busy to answer", self.refusal())
            self.path = self.folder / "datagrams"
            datagrams.bind(str(self.path))
            self.assertIn("is taken: another program uses it", self.refusal())
        self.path = self.folder / "file"
        self.path.write_text("a letter")
        self.assertIn("is there already and is no socket", self.refusal())
        self.assertEqual(self.path.read_text(), "a letter")

    def test_lock_is_a_link(self) -> None:
        """A lock that is a link to elsewhere is not followed."""
        elsewhere = self.folder / "elsewhere"
        Path(f"{self.path}.lock").symlink_to(elsewhere)
        self.assertIn("cannot listen on --control", self.refusal())
        self.assertFalse(elsewhere.exists())
