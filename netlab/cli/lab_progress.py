"""What is being done, on one line of a terminal's stderr that is rewritten."""

import shutil
import sys

from netlab.common.printable import printable


class Status:
    """The line; nothing is written where stderr is no terminal."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._head = ""
        self._shows = sys.stderr.isatty()

    def begin(self, number: int, name: str) -> None:
        """The next experiment."""
        self._head = f"[{number}/{self._total}] {name}" if self._total > 1 else name
        self.say("begins")

    def step(self, number: int, line: str) -> None:
        """The next step of it."""
        self.say(f"step {number + 1}: {line}")

    def say(self, text: str) -> None:
        """Anything."""
        if self._shows:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{printable(f'{self._head}: {text}')[:width]}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shows:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
