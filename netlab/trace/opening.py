"""Glue: a capture's bytes in blocks, from a file, a pipe or standard input, unpacked if they are packed by gzip."""

import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import FileIO

from netlab.trace.errors import DamagedCapture

#: Large enough that joining two costs nothing, small enough to be nothing.
BLOCK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
#: The window of the gzip format, and that its header is to be read.
_GZIP = 16 + zlib.MAX_WBITS


def blocks_of(path: str, read: Callable[[int], None] = lambda size: None) -> Iterator[bytes]:
    """The bytes of the file ``path``, ``-`` for standard input, as they come.

    :param read: is told how many bytes of the file itself have been read since it was told last.

    :raises OSError: it cannot be opened or read.
    :raises DamagedCapture: what gzip packed is damaged; everything before the damage has been given.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(FileIO(sys.stdin.fileno(), closefd=False) if path == "-" else FileIO(path))
        yield from unpacked(_read(stream, read))


def _read(stream: FileIO, read: Callable[[int], None]) -> Iterator[bytes]:
    while block := stream.read(BLOCK):
        read(len(block))
        yield block


def unpacked(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """``blocks`` themselves, or what is in them if they begin as gzip's do."""
    first = b""
    while len(first) < 2 and (block := next(blocks, b"")):
        first += block
    if not first.startswith(_GZIP_MAGIC):
        if first:
            yield first
        yield from blocks
        return
    yield from _inflated(first, blocks)


def _inflated(packed: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack the members of a gzip file, in pieces of at most `BLOCK` whatever the file says."""
    member = zlib.decompressobj(_GZIP)
    given = 0
    while True:
        try:
            piece = member.decompress(packed, BLOCK)
        except zlib.error:
            raise DamagedCapture("what gzip packed is damaged", given) from None
        if piece:
            given += len(piece)
            yield piece
        packed = member.unconsumed_tail
        if member.eof:
            packed = member.unused_data or next(blocks, b"")
            # Another member may follow; anything else is not the file's any more.
            if not packed or not packed.startswith(_GZIP_MAGIC[: len(packed)]):
                return
            member = zlib.decompressobj(_GZIP)
        elif not packed and len(piece) < BLOCK and not (packed := next(blocks, b"")):
            raise DamagedCapture("the gzip file ends too early", given)
