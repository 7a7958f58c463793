"""Captures to measure with: any number of TCP conversations, interleaved, with a handshake, data, losses and an end."""

import random
import struct
from collections.abc import Iterator
from pathlib import Path

_FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
_ETHERNET = bytes.fromhex("020000000002 020000000001 0800")
_FIN, _SYN, _PSH, _ACK = 1, 2, 8, 16
_SYN_OPTIONS = bytes.fromhex("020405b4 0402080a0000000000000000 01 030307")
_TIMES = bytes.fromhex("0101080a0000000100000001")
#: One in so many data segments is sent a second time.
_AGAIN = 100


def write_capture(path: Path, packets: int, conversations: int) -> Path:
    """A pcap file of ``packets`` TCP packets over ``conversations``, the same each time."""
    chosen = random.Random(1)
    each = packets // conversations
    talks = [_conversation(number, each, chosen) for number in range(conversations)]
    time = 1_700_000_000_000_000
    with path.open("wb") as file:
        file.write(_FILE_HEADER)
        for _ in range(each):
            for talk in talks:
                time += 11
                frame = next(talk)
                seconds, fraction = divmod(time, 1_000_000)
                file.write(struct.pack("<IIII", seconds, fraction, len(frame), len(frame)) + frame)
    return path


def _conversation(number: int, packets: int, chosen: random.Random) -> Iterator[bytes]:
    """The frames of one conversation: client and server take turns, the client sends what is long."""
    ends = [
        (bytes([10, 1, number >> 8 & 255, number & 255]), 20_000 + number % 40_000),
        (bytes([10, 2, 0, 1]), 8_080),
    ]
    following = [chosen.getrandbits(32), chosen.getrandbits(32)]

    def frame(sender: int, bits: int, payload: bytes = b"", options: bytes = _TIMES, back: int = 0) -> bytes:
        (source, port), (destination, other_port) = ends[sender], ends[1 - sender]
        seq = following[sender] - back & 0xFFFFFFFF
        ack = following[1 - sender] & 0xFFFFFFFF if bits & _ACK else 0
        if not back:
            following[sender] += len(payload) + bool(bits & (_SYN | _FIN))
        offset = (20 + len(options)) // 4 << 12 | bits
        tcp = struct.pack("!HHIIHHHH", port, other_port, seq, ack, offset, 501, 0, 0) + options + payload
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, source, destination)
        return _ETHERNET + ip + tcp

    yield frame(0, _SYN, options=_SYN_OPTIONS)
    yield frame(1, _SYN | _ACK, options=_SYN_OPTIONS)
    yield frame(0, _ACK)
    left = packets - 6
    while left > 0:
        payload = bytes(chosen.choice((13, 376, 687, 1448, 1448)))
        yield frame(0, _PSH | _ACK, payload)
        if left > 2 and chosen.randrange(_AGAIN) == 0:
            yield frame(0, _PSH | _ACK, payload, back=len(payload))
            left -= 1
        if left > 1:
            yield frame(1, _ACK)
        left -= 2
    yield frame(0, _FIN | _ACK)
    yield frame(1, _FIN | _ACK)
    yield frame(0, _ACK)
