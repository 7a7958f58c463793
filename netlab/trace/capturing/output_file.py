"""Glue: the file that a capture is written to."""

import contextlib
import os
import stat
from io import FileIO

from netlab.trace.capturing.errors import CannotCapture


class OutputFile:
    """A file, a pipe or a device. What is in it is whole: a piece that does not fit is not in it at all."""

    def __init__(self, path: str | int) -> None:
        """:param path: its name, or an open descriptor, which stays open.

        :raises OSError: it cannot be opened.
        """
        self._file = FileIO(path, "w", closefd=isinstance(path, str))
        self._is_regular = stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)

    def write(self, data: bytes) -> None:
        """Write all of ``data``.

        :raises CannotCapture: there is no room, or the device fails.
        :raises BrokenPipeError: whoever read it has gone.
        """
        begin = self._file.tell() if self._is_regular else 0
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        except BrokenPipeError:
            raise
        except OSError as error:
            self._cut(begin)
            raise CannotCapture(f"cannot write the capture: {error.strerror}") from None

    def close(self) -> None:
        """No more will be written.

        :raises CannotCapture: what was written did not reach the device.
        """
        try:
            self._file.close()
        except OSError as error:
            raise CannotCapture(f"cannot write the capture: {error.strerror}") from None

    def _cut(self, size: int) -> None:
        if self._is_regular:
            with contextlib.suppress(OSError):
                self._file.truncate(size)
