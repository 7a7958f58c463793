"""Capture files: every format, every damage, whole or in pieces."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.errors import DamagedCapture, NotACapture, TraceError
from netlab.trace.opening import BLOCK, blocks_of, unpacked
from netlab.trace.pcapng_write import (
    enhanced_packet,
    interface_description,
    interface_statistics,
    section_header,
)
from netlab.trace.records import MAX_PACKET, CaptureFile, Record, read_records
from netlab.trace.window import Window
from tests.parts import temporary_folder

DATA = [b"first packet", b"second", b"", b"the fourth one"]


def pcap(order: str = "<", nano: bool = False, link_type: int = 1, data: list[bytes] = DATA) -> bytes:
    """A pcap file; packet n comes at second n and 5 fractions of it."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    file = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, link_type)
    for number, one in enumerate(data):
        file += struct.pack(order + "IIII", number, 5, len(one), len(one) + 1) + one
    return file


def pcapng(order: str = "<", resolution: bytes = b"\x06", ticks: int = 7) -> bytes:
    """A pcapng file by hand, with everything in it that readers are to pass over."""

    def block(kind: int, body: bytes) -> bytes:
        length = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + length + body + length

    def option(code: int, value: bytes) -> bytes:
        return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    end = option(0, b"")
    packet = struct.pack(order + "IIIII", 0, 0, ticks, 5, 9) + b"hello\0\0\0"
    return b"".join(
        [
            block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + option(4, b"writer") + end),
            block(0x0BAD, b"\0\0\0\x2a" + b"custom!!"),
            block(1, struct.pack(order + "HHI", 1, 0, 96) + option(2, b"eth0") + option(9, resolution) + end),
            block(6, packet + option(1, "שלום".encode()) + option(2, b"\0\0\0\0") + end),
            block(4, b"name resolution!"),
            block(3, struct.pack(order + "I", 200) + bytes(96)),
            block(2, struct.pack(order + "HHIIII", 0, 3, 0, ticks, 2, 2) + b"ob\0\0"),
            block(5, struct.pack(order + "III", 0, 0, 0) + option(5, struct.pack(order + "Q", 17)) + end),
        ]
    )


def read(*blocks: bytes) -> tuple[list[Record], CaptureFile, TraceError | None]:
    """All records, what the file says of itself, and the damage that ended it."""
    return read_from(iter(blocks))


def read_from(blocks: Iterator[bytes]) -> tuple[list[Record], CaptureFile, TraceError | None]:
    """The same of blocks that come while they are read."""
    file = CaptureFile()
    records: list[Record] = []
    try:
        records.extend(read_records(Window(blocks), file))
    except DamagedCapture as error:
        return records, file, error
    return records, file, None


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """``data`` in pieces."""
    return (data[place : place + size] for place in range(0, len(data), size))


class PcapTests(SynchronousTestCase):
    """The classic format."""

    def test_orders_and_resolutions(self) -> None:
        """Either byte order, micro- and nanoseconds."""
        for order in "<>":
            for nano in (False, True):
                records, file, damage = read(pcap(order, nano))
                self.assertIsNone(damage)
                self.assertEqual([record.data for record in records], DATA)
                self.assertEqual(records[1].time, 1_000_000_000 + (5 if nano else 5_000))
                self.assertEqual(records[0].length, len(DATA[0]) + 1)
                self.assertEqual((file.format, file.interfaces[0].snap_length), ("pcap", 65_535))

    def test_a_length_that_nobody_captured(self) -> None:
        """A record that claims more than any packet has ends the file there, and nothing is kept for it."""
        whole = pcap()
        for claimed in (MAX_PACKET + 1, 0xFFFFFFFF):
            records, _, damage = read(whole + struct.pack("<IIII", 9, 9, claimed, claimed) + bytes(100))
            self.assertEqual(len(records), len(DATA))
            assert isinstance(damage, DamagedCapture)
            self.assertEqual(damage.offset, len(whole))
            self.assertIn(f"{claimed:,} bytes", str(damage))

    def test_another_version(self) -> None:
        """A version that does not exist is damage of the header."""
        _, _, damage = read(pcap()[:4] + b"\x09\x00" + pcap()[6:])
        self.assertIn("version 9", str(damage))

    @given(st.integers(0, len(pcap())), st.integers(1, 40))
    def test_cut_anywhere(self, end: int, size: int) -> None:
        """A file that is cut gives every record that is whole, however it comes, and says where it was cut."""
        whole = pcap()
        if end < 4:
            self.assertRaises(NotACapture, read, *pieces(whole[:end], size))
            return
        records, _, damage = read(*pieces(whole[:end], size))
        self.assertEqual([record.data for record in records], DATA[: len(records)])
        at_border = end in {24 + sum(16 + len(one) for one in DATA[:count]) for count in range(5)}
        self.assertEqual(damage is None, at_border)


class PcapngTests(SynchronousTestCase):
    """The newer format."""

    def test_everything(self) -> None:
        """Packets of all three kinds, comments, what is known of file and interface, drops; the rest is passed over."""
        for order in "<>":
            records, file, damage = read(pcapng(order))
            self.assertIsNone(damage)
            self.assertEqual(records[0], Record(7_000, 0, 9, b"hello", ("שלום",)))
            self.assertEqual((records[1].time, records[1].length, len(records[1].data)), (None, 200, 96))
            self.assertEqual((records[2].time, records[2].data), (7_000, b"ob"))
            self.assertEqual((file.application, file.interfaces[0].name, file.dropped), ("writer", "eth0", 17))
            self.assertEqual((file.sections, file.skipped), (1, 2))

    def test_resolutions(self) -> None:
        """Ticks are any power of ten or of two."""
        for value, time in (
            (b"\x09", 7),
            (b"\x03", 7_000_000),
            (b"\x00", 7_000_000_000),
            (b"\x0c", 0),
            (b"\x83", 875_000_000),
        ):
            records, _, _ = read(pcapng(resolution=value))
            self.assertEqual(records[0].time, time, value)

    def test_sections(self) -> None:
        """Each section has its own byte order and its own interfaces."""
        records, file, damage = read(pcapng("<") + pcapng(">", b"\x09"))
        self.assertIsNone(damage)
        self.assertEqual([record.interface for record in records], [0, 0, 0, 1, 1, 1])
        self.assertEqual([record.time for record in records if record.data == b"hello"], [7_000, 7])
        self.assertEqual((file.sections, file.dropped), (2, 34))

    def test_own_writer(self) -> None:
        """What is written here is read back."""
        time = 1_763_731_200_123_456_789
        blocks = [
            section_header("netlab", "Linux", "x86_64", "a remark"),
            interface_description(1, 128, "lo", "loopback"),
            interface_description(101),
            enhanced_packet(time, b"abc", 1500, 1, "process 42"),
            enhanced_packet(time, b""),
            interface_statistics(time, 9, 4),
        ]
        records, file, damage = read(b"".join(blocks))
        self.assertIsNone(damage)
        self.assertEqual(records, [Record(time, 1, 1500, b"abc", ("process 42",)), Record(time, 0, 0, b"")])
        self.assertEqual((file.application, file.system, file.hardware), ("netlab", "Linux", "x86_64"))
        self.assertEqual((file.comments, file.dropped), (["a remark"], 4))
        self.assertEqual([one.name for one in file.interfaces], ["lo", ""])

    def test_contradictions(self) -> None:
        """A block that contradicts itself ends the file where it begins."""
        begun = section_header() + interface_description(1)
        packet = enhanced_packet(5, b"data")
        faults = {
            "another length at its end": packet[:-4] + b"\x28\0\0\0",
            "no block can be": struct.pack("<II", 6, 7) + bytes(8),
            "are believed": struct.pack("<II", 6, 1 << 30) + bytes(8),
            "was not described": enhanced_packet(5, b"data", interface=3),
            "is said to be in a block": packet[:20] + b"\xff\xff\0\0" + packet[24:],
            "its kind needs": struct.pack("<II", 6, 16) + bytes(4) + struct.pack("<I", 16),
            "inside a block of 4,294,967,292": struct.pack("<II", 0x77, 0xFFFFFFFC) + bytes(50),
            "no byte-order mark": b"\x0a\x0d\x0d\x0a" + bytes(24),
        }
        for words, block in faults.items():
            records, _, damage = read(begun + packet + block)
            self.assertEqual(len(records), 1, words)
            self.assertIn(words, str(damage))
            assert isinstance(damage, DamagedCapture)
            self.assertEqual(damage.offset, len(begun + packet), words)

    def test_simple_packet_first(self) -> None:
        """A simple packet needs an interface."""
        block = struct.pack("<III", 3, 20, 4) + b"data" + struct.pack("<I", 20)
        _, _, damage = read(section_header() + block)
        self.assertIn("before any interface", str(damage))

    @given(st.integers(5, len(pcapng())), st.integers(1, 60))
    def test_cut_anywhere(self, end: int, size: int) -> None:
        """Records before the cut are the same, however the file comes."""
        whole, _, _ = read(pcapng())
        records, _, _ = read(*pieces(pcapng()[:end], size))
        self.assertEqual(records, whole[: len(records)])


class OpeningTests(SynchronousTestCase):
    """Files, and what gzip packed."""

    def test_no_capture(self) -> None:
        """Empty files and others say what they are."""
        self.assertIn("empty", str(self.assertRaises(NotACapture, read)))
        self.assertIn("7f 45 4c 46", str(self.assertRaises(NotACapture, read, b"\x7fELF....")))

    def test_gzip(self) -> None:
        """One member or several, in any pieces."""
        packed = gzip.compress(pcap()[:50]) + gzip.compress(pcap()[50:])
        for size in (1, 7, 4096):
            records, _, damage = read_from(unpacked(pieces(packed, size)))
            self.assertIsNone(damage)
            self.assertEqual([record.data for record in records], DATA)

    def test_gzip_bomb(self) -> None:
        """What is unpacked comes in bounded pieces, whatever is in it."""
        packed = gzip.compress(bytes(8 * BLOCK))
        sizes = [len(piece) for piece in unpacked(iter([packed]))]
        self.assertEqual((sum(sizes), max(sizes)), (8 * BLOCK, BLOCK))

    def test_gzip_damaged(self) -> None:
        """Everything before the damage is used."""
        whole = pcap(data=[bytes([number % 251]) * 200 for number in range(2000)])
        packed = gzip.compress(whole)
        for damaged in (packed[: len(packed) // 2], packed[:-8] + b"checksum"):
            records, _, damage = read_from(unpacked(iter([damaged])))
            self.assertIn("gzip", str(damage))
            self.assertEqual([record.data[:1] for record in records], [bytes([n % 251]) for n in range(len(records))])

    def test_from_a_file(self) -> None:
        """A file comes in blocks; one that is not there is an OSError."""
        path = temporary_folder(self) / "capture"
        path.write_bytes(bytes(3 * BLOCK + 5))
        self.assertEqual([len(block) for block in blocks_of(str(path))], [BLOCK, BLOCK, BLOCK, 5])
        self.assertRaises(FileNotFoundError, list, blocks_of(str(path) + "x"))


class WindowTests(SynchronousTestCase):
    """Moving over a file."""

    @given(
        st.lists(st.binary(max_size=20), max_size=10),
        st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=12),
    )
    def test_like_one_string(self, blocks: list[bytes], steps: list[tuple[bool, int]]) -> None:
        """Taking and skipping give what they would of the whole, and the offset counts it."""
        whole, place = b"".join(blocks), 0
        window = Window(blocks)
        for skips, count in steps:
            if skips:
                self.assertEqual(window.skip(count), place + count <= len(whole))
            else:
                self.assertEqual(window.take(count), whole[place : place + count])
            place = min(place + count, len(whole))
            self.assertEqual(window.offset, place)
