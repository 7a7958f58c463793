"""A real Redis on a free port of this machine, which keeps nothing on the disk."""

import signal
import socket
import subprocess
from unittest import TestCase

from tests.parts import require_program, temporary_folder

#: Servers that are tried until one has its port: between finding a free one and using it another may take it.
_TRIES = 20


class RedisServer:
    """A redis-server that ends with the test; ``port`` stays its own when it is started again."""

    def __init__(self, test: TestCase, *options: str) -> None:
        self._program = require_program("redis-server")
        self._folder = temporary_folder(test)
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        test.addCleanup(self.kill)
        for _ in range(_TRIES):
            self.port = free_port()
            if self._listens():
                return
        raise AssertionError("redis-server found no port to listen on")

    def restart(self) -> None:
        """Start it again where it was."""
        if not self._listens():
            raise AssertionError(f"port {self.port} was taken meanwhile")

    def kill(self) -> None:
        """End it at once, stopped or not."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            process.stdout.close()

    def pause(self) -> None:
        """From now on it accepts connections, being listening, and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on with all that was asked meanwhile."""
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *words: str | bytes) -> bytes:
        """The answer to one command, in Redis's own form, without its last line end."""
        parts = [word if isinstance(word, bytes) else word.encode() for word in words]
        command = b"".join([b"*%d\r\n" % len(parts), *(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)])
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(command)
            with connection.makefile("rb") as answer:
                line = answer.readline()
                if line[:1] == b"$" and line != b"$-1\r\n":
                    return answer.read(int(line[1:]))
                return line.rstrip()

    def _listens(self) -> bool:
        """Start it; whether it could have the port."""
        command = [self._program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [*command, "--dir", str(self._folder), *self._options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        if any("Ready to accept connections" in line for line in self._process.stdout):
            return True
        self.kill()
        return False


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
