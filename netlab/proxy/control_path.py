"""Whose a control socket's path is: one proxy's, for as long as it lives. Calls here block, but not for long."""

import errno
import fcntl
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from netlab.common.daemon import CannotStart

#: Times that a lock is tried which was removed just when it was had.
_TRIES = 100

#: What connecting to a socket fails of that somebody has, though not for us.
_TAKEN = {
    errno.EAGAIN: "somebody listens there who is too busy to answer",
    errno.EACCES: "it is another user's",
    errno.EPERM: "it is another user's",
    errno.EPROTOTYPE: "another program uses it",
}


class ControlPath:
    """The path, held by a lock on the file beside it, ``PATH.lock``.

    The kernel lets go of the lock with the process, however that ends; so a socket that is there while the lock can be
    had was left behind by a dead proxy, unless another program listens on it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock_path = f"{path}.lock"
        self._lock: int | None = None

    def take(self) -> None:
        """Hold the path, and remove a socket there on which nobody listens.

        :raises CannotStart: another proxy holds it, somebody listens there, or it is no socket.
        """
        try:
            self._lock = self._locked()
            self._make_way()
        except OSError as error:
            self.release()
            raise CannotStart(
                f"netlab-proxy: cannot listen on --control {self._path}: {error.strerror or error}"
            ) from None
        except CannotStart:
            self.release()
            raise

    def release(self) -> None:
        """Let go of it."""
        lock, self._lock = self._lock, None
        if lock is not None:
            with suppress(OSError):  # who gave up its rights after it had made it cannot remove it
                os.unlink(self._lock_path)
            os.close(lock)

    def _locked(self) -> int:
        """The descriptor of the lock; who has one of a file that was removed meanwhile has nothing."""
        for _ in range(_TRIES):
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(lock, self._lock_path):
                    return lock
            except BlockingIOError:
                os.close(lock)
                raise self._refusal(f"another proxy listens on --control {self._path}") from None
            except BaseException:
                os.close(lock)
                raise
            os.close(lock)
        raise self._refusal(f"others start and stop with --control {self._path}")

    def _make_way(self) -> None:
        try:
            if not stat.S_ISSOCK(Path(self._path).lstat().st_mode):
                raise CannotStart(f"netlab-proxy: --control {self._path} is there already and is no socket")
            with socket.socket(socket.AF_UNIX) as probe:
                probe.setblocking(False)
                probe.connect(self._path)
        except ConnectionRefusedError:
            Path(self._path).unlink(missing_ok=True)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            raise self._refusal(f"--control {self._path} is taken: {_TAKEN[error.errno]}") from None
        else:
            raise self._refusal(f"another program listens on --control {self._path}")

    def _refusal(self, why: str) -> CannotStart:
        return CannotStart(f"netlab-proxy: {why}; give this one another path")


def _is_at(descriptor: int, path: str) -> bool:
    """Whether the file that is open has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
