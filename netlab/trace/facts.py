"""The facts: what is known of each packet and each conversation, from which every report is made.

docs/trace.md describes them for those who write reports; docs/json-trace.md is their JSON.
"""

from collections.abc import Mapping
from typing import NamedTuple

from attrs import frozen

from netlab.trace.arp import Arp
from netlab.trace.closing import Closing
from netlab.trace.flags import Flag
from netlab.trace.icmp import Message
from netlab.trace.ip import IP, HeaderCut, read_ip
from netlab.trace.link import Link, link_of, network_of
from netlab.trace.tcp import ACK, FIN, RST, SYN, Options, bits_text, read_options
from netlab.trace.udp import Datagram


@frozen
class Flaw:
    """Something about a packet that keeps it from being read whole: ``kind``, and numbers by name (docs/trace.md)."""

    kind: str
    numbers: Mapping[str, int]


class Segment(NamedTuple):
    """A TCP segment in its conversation. There is one for each packet: a tuple is made in a third of the time.

    ``conversation`` is Wireshark's ``tcp.stream``, from 0; ``sender`` is 0 or 1, an index into the conversation's
    ``endpoints``. ``sequence`` and ``acknowledgment`` are relative, as Wireshark shows them (a SYN is 0, the first byte
    1); without the ACK flag ``acknowledgment`` is what stands in the field. ``bits`` are the header's flags
    (`tcp.SYN`…). ``window`` is in bytes, scaled if the shift ``scale`` is known, and ``raw_window`` what the header
    says. ``length`` is the payload's on the wire, and ``payload`` what was captured of it; both are of the whole
    datagram if IP cut it. ``option_bytes`` may be cut too. ``acknowledges`` is the frame whose last byte this
    acknowledges first, and ``rtt`` how long ago that was, in nanoseconds; `None` if it acknowledges none. ``since`` is
    the time since the conversation's previous packet, in nanoseconds.
    """

    conversation: int
    sender: int
    source_port: int
    destination_port: int
    sequence: int
    acknowledgment: int
    raw_sequence: int
    raw_acknowledgment: int
    bits: int
    window: int
    raw_window: int
    scale: int | None
    urgent: int
    length: int
    payload: bytes
    option_bytes: bytes
    flags: tuple[Flag, ...]
    acknowledges: int | None
    rtt: int | None
    since: int

    @property
    def next_sequence(self) -> int:
        """The relative number that follows: payload, SYN and FIN count."""
        return self.sequence + self.length + bool(self.bits & (SYN | FIN)) & 0xFFFFFFFF

    @property
    def options(self) -> Options:
        """The options, read anew each time."""
        return read_options(self.option_bytes)

    @property
    def bits_text(self) -> str:
        """The flags in words: ``SYN, ACK``."""
        return bits_text(self.bits)

    @property
    def syn(self) -> bool:
        """Whether SYN is set."""
        return bool(self.bits & SYN)

    @property
    def fin(self) -> bool:
        """Whether FIN is set."""
        return bool(self.bits & FIN)

    @property
    def rst(self) -> bool:
        """Whether RST is set."""
        return bool(self.bits & RST)

    @property
    def ack(self) -> bool:
        """Whether ACK is set."""
        return bool(self.bits & ACK)


class Packet(NamedTuple):
    """One packet of the capture; a tuple, as `Segment` is.

    ``number`` counts from 1, as Wireshark does. ``time`` is nanoseconds since 1970; a packet without a time has its
    predecessor's and a flaw. ``interface`` is an index into the file's interfaces, ``length`` is bytes on the wire, and
    ``data`` what was captured. ``protocol`` is the name of the innermost layer that was read, ``source`` and
    ``destination`` IP addresses, `None` if there are none. ``transport`` is what IP (or ARP) is about, `None` if it is
    something else or cannot be read. ``fragments`` are the frames that a datagram came in, if it was cut by IP.
    """

    number: int
    time: int
    interface: int
    link_type: int
    length: int
    data: bytes
    protocol: str
    source: str | None = None
    destination: str | None = None
    transport: Segment | Datagram | Message | Arp | None = None
    flaws: tuple[Flaw, ...] = ()
    fragments: tuple[int, ...] = ()
    comments: tuple[str, ...] = ()

    @property
    def link(self) -> Link:
        """What its link layer says, read anew each time."""
        return link_of(self.link_type, self.data)

    @property
    def ip(self) -> IP | None:
        """Its IP header (of this fragment, if it is one), read anew each time; `None` if it has none."""
        kind, start = network_of(self.link_type, self.data)
        if kind not in (0x0800, 0x86DD):
            return None
        try:
            return read_ip(self.data, start)
        except HeaderCut:
            return None


@frozen
class Endpoint:
    """One program's side of a conversation: an address, and a port, `None` where there are no ports."""

    address: str
    port: int | None


@frozen
class Direction:
    """What one endpoint sent in a TCP conversation.

    ``packets`` counts all, ``wire_bytes`` their lengths on the wire, ``bytes`` payload with repetitions, and
    ``unique_bytes`` each byte of the stream once, as far as it was captured. ``gaps`` are the missing places of the
    stream, as relative sequence numbers, start inclusive and end exclusive (at most 64; ``missing_bytes`` is their sum
    and that of those left out). ``initial_sequence`` is raw, `None` if it was not seen. ``options`` are the SYN's,
    `None` without one. ``scale`` is the shift of its windows, `None` if none is used or it is unknown. ``window_least``
    and ``window_most`` are the smallest and the largest window that it advertised after its SYN, in bytes, `None` if
    none. Round-trip times are between its data and the other's ACK, in nanoseconds, `None` without one; ``rtt_count``
    says how many there are. ``flags`` counts the analysis flags of its packets, by kind.
    """

    packets: int
    wire_bytes: int
    bytes: int
    unique_bytes: int
    missing_bytes: int
    gaps: tuple[tuple[int, int], ...]
    initial_sequence: int | None
    options: Options | None
    scale: int | None
    window_least: int | None
    window_most: int | None
    rtt_count: int
    rtt_least: int | None
    rtt_mean: int | None
    rtt_most: int | None
    largest_segment: int
    flags: Mapping[str, int]


@frozen
class Conversation:
    """A TCP conversation. ``number`` is Wireshark's ``tcp.stream``.

    ``endpoints[0]`` sent its first captured packet. ``client`` is 0 or 1, who opened it, `None` if the capture began
    later. ``first`` and ``last`` are frames, ``began`` and ``ended`` their times in nanoseconds since 1970.
    ``completeness`` has Wireshark's bits: 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST. ``handshake`` are the frames
    of SYN, SYN-ACK and the ACK to it, `None` for those that are missing; ``initial_rtt`` is the time from the first to
    the third, as Wireshark has it, `None` without. ``directions`` are as ``endpoints``.
    """

    number: int
    endpoints: tuple[Endpoint, Endpoint]
    client: int | None
    first: int
    last: int
    began: int
    ended: int
    completeness: int
    handshake: tuple[int | None, int | None, int | None]
    initial_rtt: int | None
    directions: tuple[Direction, Direction]
    closing: Closing


@frozen
class DatagramConversation:
    """A UDP conversation. ``number`` is Wireshark's ``udp.stream``; the rest is as in `Conversation`.

    ``packets`` and ``bytes`` (of payload) are as ``endpoints``.
    """

    number: int
    endpoints: tuple[Endpoint, Endpoint]
    first: int
    last: int
    began: int
    ended: int
    packets: tuple[int, int]
    bytes: tuple[int, int]


@frozen
class Damage:
    """Where a capture file is damaged: ``problem`` says what is wrong, ``offset`` at which byte of the file, from 0.

    Everything before it has been used.
    """

    problem: str
    offset: int
