"""Captures made by hand: a TCP connection on the loopback, cut into segments as a test wants it."""

from __future__ import annotations

import struct
from pathlib import Path

from attrs import define, field

from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header

#: LINKTYPE_RAW: packets begin with the IP header.
_RAW_IP = 101
_PUSH_ACK = 0x18
_BEGAN, _APART = 1_700_000_000_000_000_000, 1_000_000


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
        blocks = [section_header(), interface_description(_RAW_IP)]
        for number, (packet, comment) in enumerate(self._packets):
            comments = (comment,) if comment else ()
            blocks.append(enhanced_packet(_BEGAN + number * _APART, packet, None, 0, *comments))
        path.write_bytes(b"".join(blocks))
        return path
