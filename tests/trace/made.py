"""Captures made by hand: a TCP connection on the loopback, cut into segments as a test wants it."""

from __future__ import annotations

import struct
from pathlib import Path

from attrs import define, field

#: LINKTYPE_RAW: packets begin with the IP header.
_RAW_IP = 101
_PUSH_ACK = 0x18

#: pcapng block types and option codes.
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT = 1


@define
class Capture:
    """Packets of one or more connections of 127.0.0.1, a millisecond apart; written as pcapng."""

    _packets: list[tuple[bytes, str | None]] = field(factory=list)
    _next: dict[tuple[int, int], int] = field(factory=dict)

    def segment(self, source: int, target: int, payload: bytes, comment: str | None = None) -> Capture:
        """Add a segment with data from one port to another, in sequence; ``comment`` is the frame's."""
        sequence = self._next.get((source, target), 1)
        self._next[source, target] = sequence + len(payload)
        acknowledged = self._next.get((target, source), 1)
        tcp = struct.pack("!HHIIBBHHH", source, target, sequence, acknowledged, 5 << 4, _PUSH_ACK, 8_192, 0, 0)
        home = bytes((127, 0, 0, 1))
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0, home, home)
        self._packets.append((ip + tcp + payload, comment))
        return self

    def write(self, path: Path) -> Path:
        """Write the file."""
        blocks = [_block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
        blocks.append(_block(_INTERFACE, struct.pack("<HHI", _RAW_IP, 0, 0)))
        for number, (packet, comment) in enumerate(self._packets):
            time = 1_700_000_000_000_000 + number * 1_000
            head = struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(packet), len(packet))
            blocks.append(_block(_PACKET, head + _padded(packet) + _options(comment)))
        path.write_bytes(b"".join(blocks))
        return path


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _options(comment: str | None) -> bytes:
    if comment is None:
        return b""
    text = comment.encode()
    return struct.pack("<HH", _COMMENT, len(text)) + _padded(text) + bytes(4)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
