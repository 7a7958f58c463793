"""A quick look: who spoke with whom and how much, at the speed of one `struct` and one dictionary a packet.

Conversations are told apart as in the full analysis (a SYN with another initial sequence number begins a new one), but
nothing is analysed. The memory that a capture takes is that of its conversations, and those are limited.
"""

from collections import Counter
from collections.abc import Iterable
from struct import Struct

from attrs import frozen

from netlab.trace import link
from netlab.trace.datagrams import Datagrams
from netlab.trace.errors import DamagedCapture
from netlab.trace.facts import Damage, Endpoint
from netlab.trace.following import Body, Header
from netlab.trace.ip import TCP, address_text
from netlab.trace.layers import Layers
from netlab.trace.records import CaptureFile, Record, read_records
from netlab.trace.tcp import ACK, SYN
from netlab.trace.window import Window

#: Conversations that are told apart; what is beyond is counted together.
MAX_CONVERSATIONS = 100_000

#: As in `netlab.trace.dissect`, up to the flags: version and header length, fragment, protocol, key, flags.
_USUAL = Struct("!B5xHxBxx12s8xxB")
_WHOLE_IPV4 = 0x45
_FRAGMENT = 0x3FFF
#: Where IP begins if nothing unusual stands before it, and where the EtherType is that says so.
_STARTS = {link.ETHERNET: (14, 12), link.COOKED: (16, 14), link.COOKED2: (20, 0)}
_IPV4 = b"\x08\x00"


@frozen
class Talk:
    """A TCP conversation in a summary. ``endpoints[0]`` sent its first packet; pairs are as ``endpoints``.

    ``bytes`` are lengths of packets on the wire. ``bits`` are all TCP flags that were seen. Times are nanoseconds since
    1970.
    """

    number: int
    endpoints: tuple[Endpoint, Endpoint]
    packets: tuple[int, int]
    bytes: tuple[int, int]
    bits: tuple[int, int]
    began: int
    ended: int


class _Half:
    """What one side sent."""

    __slots__ = ("bits", "bytes", "initial", "last", "other", "packets", "talk")

    def __init__(self, talk: int) -> None:
        self.talk = talk
        self.packets = 0
        self.bytes = 0
        self.bits = 0
        self.last = 0
        self.initial: bytes | None = None
        self.other: _Half = self


class Summary:
    """A capture, counted. Call `read`, then look at the rest.

    ``protocols`` counts packets and their bytes on the wire, by the name of their innermost layer.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        """:param blocks: the file's bytes in order, unpacked, in pieces of any size (`netlab.trace.opening`)."""
        self.file = CaptureFile()
        self.damage: Damage | None = None
        self.packets = 0
        self.bytes = 0
        self.began = 0
        self.ended = 0
        self.protocols: Counter[str] = Counter()
        #: TCP packets of conversations beyond the limit.
        self.passed_over = 0
        self._window = Window(blocks)
        self._halves: dict[bytes, _Half] = {}
        self._talks: list[tuple[bytes, _Half, int]] = []
        self._layers = Layers(self, Datagrams())

    @property
    def offset(self) -> int:
        """How far the file has been read, in bytes."""
        return self._window.offset

    def talks(self) -> list[Talk]:
        """The TCP conversations, by number."""
        return [_talk(key, half, began) for key, half, began in self._talks]

    def read(self) -> None:
        """Count all packets up to the end of the file, or to where it is damaged.

        :raises NotACapture: it is no capture at all.
        """
        try:
            self._count(read_records(self._window, self.file))
        except DamagedCapture as error:
            self.damage = Damage(error.problem, error.offset)

    def _count(self, records: "Iterable[Record]") -> None:
        halves, unpack, usual = self._halves, _USUAL.unpack_from, 0
        size = _USUAL.size
        interface, start, kind = -1, 0, 0
        for time, where, length, data, _comments in records:
            self.bytes += length
            if where != interface:
                interface = where
                start, kind = _STARTS.get(self.file.interfaces[where].link_type, (1 << 30, 0))
            if time is None:
                time = self.ended  # noqa: PLW2901  # a packet without a time has its predecessor's
            if not self.packets:
                self.began = time
            self.packets += 1
            self.ended = time
            if len(data) >= start + size and data[kind : kind + 2] == _IPV4:
                first, place, protocol, key, bits = unpack(data, start)
                if protocol == TCP and first == _WHOLE_IPV4 and not place & _FRAGMENT:
                    usual += 1
                    half = halves.get(key)
                    if half is None or bits & SYN:
                        half = self._half(key, time, bits, data[start + 24 : start + 28])
                        if half is None:
                            continue
                    half.packets += 1
                    half.bytes += length
                    half.bits |= bits
                    half.last = time
                    continue
            self._slowly(time, where, length, data)
        self.protocols["TCP"] += usual

    def _slowly(self, time: int, interface: int, length: int, data: bytes) -> None:
        record = Record(time, interface, length, data)
        packet = self._layers.packet(self.packets, time, self.file.interfaces[interface].link_type, record)
        self.protocols[packet.protocol] += 1

    def segment(self, key: bytes, frame: int, time: int, wire: int, header: Header, body: Body) -> None:
        """A segment that came through the layers."""
        half = self._half(key, time, header[2], header[0].to_bytes(4, "big"))
        if half is not None:
            half.packets += 1
            half.bytes += wire
            half.bits |= header[2]
            half.last = time

    def quoted(self, key: bytes, frame: int, time: int) -> int | None:
        """An error quotes a segment: nothing is counted for that."""
        return None

    def _half(self, key: bytes, time: int, bits: int, seq: bytes) -> _Half | None:
        """The side that sent a segment, a new conversation's if this is its first."""
        half = self._halves.get(key)
        if half is None or (bits & (SYN | ACK) == SYN and _is_new(half, seq)):
            if len(self._talks) >= MAX_CONVERSATIONS:
                self.passed_over += 1
                return None
            half = self._begin(key, time)
        if bits & SYN:
            half.initial = seq
        return half

    def _begin(self, key: bytes, time: int) -> _Half:
        number = len(self._talks)
        half, other = _Half(number), _Half(number)
        half.other, other.other = other, half
        size = (len(key) - 4) // 2
        self._halves[key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]] = other
        self._halves[key] = half
        self._talks.append((key, half, time))
        return half


def _is_new(half: _Half, seq: bytes) -> bool:
    """Whether a SYN on ports that are known begins another conversation."""
    if half.initial is None:
        return half.packets > 0 or bool(half.other.bits & ACK)
    return half.initial != seq


def _talk(key: bytes, half: _Half, began: int) -> Talk:
    other = half.other
    size = (len(key) - 4) // 2
    ports = int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")
    addresses = address_text(key[:size]), address_text(key[size : 2 * size])
    return Talk(
        half.talk,
        (Endpoint(addresses[0], ports[0]), Endpoint(addresses[1], ports[1])),
        (half.packets, other.packets if other is not half else 0),
        (half.bytes, other.bytes if other is not half else 0),
        (half.bits, other.bits if other is not half else 0),
        began,
        max(half.last, other.last),
    )
