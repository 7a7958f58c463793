"""Records in, facts out: each packet is read layer by layer, and what IP cut is joined.

Most packets of most captures are TCP in IPv4 without options, so those are read by one `struct` from the start of the
IP header to the end of TCP's. Whatever is not of that shape goes through `netlab.trace.layers`.
"""

from struct import Struct

from netlab.trace import link
from netlab.trace.conversations import Conversations
from netlab.trace.datagrams import Datagrams
from netlab.trace.facts import Flaw, Packet
from netlab.trace.ip import TCP, address_text
from netlab.trace.layers import Layers
from netlab.trace.records import CaptureFile, Record
from netlab.trace.tcp import FLAG_BITS

#: IPv4 and TCP: version and header length, total length, fragment, protocol, both addresses and ports as one key,
#: sequence, acknowledgment, offset and flags, window, urgent pointer.
_USUAL = Struct("!BxHxxHxBxx12sIIHHxxH")
_USUAL_LENGTH = _USUAL.size
_WHOLE_IPV4 = 0x45
#: More fragments, or a place in the datagram.
_FRAGMENT = 0x3FFF

#: Conversations whose addresses are remembered as texts.
MAX_NAMES = 65_536


class Dissector:
    """The packets of one capture, one after another; ``conversations`` and ``datagrams`` fill meanwhile."""

    def __init__(self, file: CaptureFile) -> None:
        self._file = file
        self._number = 0
        self._time = 0
        self.conversations = Conversations()
        self.datagrams = Datagrams()
        self._names: dict[bytes, tuple[str, str]] = {}
        self._layers = Layers(self.conversations, self.datagrams)

    def packet(self, record: Record) -> Packet:
        """The facts of the next record."""
        self._number = number = self._number + 1
        time, interface, length, data, comments = record
        link_type = self._file.interfaces[interface].link_type
        if time is None:
            time = self._time
            return self._layers.packet(number, time, link_type, record, (Flaw("no_time", {}),))
        self._time = time
        if link_type == link.ETHERNET and data[12:14] == b"\x08\x00":
            kind, start = link.ETHERTYPE_IPV4, 14
        else:
            kind, start = link.network_of(link_type, data)
        if kind == link.ETHERTYPE_IPV4 and len(data) >= start + _USUAL_LENGTH:
            first, total, place, protocol, key, seq, ack, offset, window, urgent = _USUAL.unpack_from(data, start)
            payload = start + 20 + (offset >> 12) * 4
            end = start + total
            whole = first == _WHOLE_IPV4 and not place & _FRAGMENT and end <= len(data)
            if protocol == TCP and whole and start + _USUAL_LENGTH <= payload <= end:
                header = seq, ack, offset & FLAG_BITS, window, urgent
                body = end - payload, data[payload:end], data[start + _USUAL_LENGTH : payload]
                segment = self.conversations.segment(key, number, time, length, header, body)
                names = self._names.get(key) or self._name(key)
                flaws = () if segment else (Flaw("not_followed", {}),)
                return Packet(
                    number, time, interface, link_type, length, data, "TCP", *names, segment, flaws, (), comments
                )
        return self._layers.packet(number, time, link_type, record)

    def _name(self, key: bytes) -> tuple[str, str]:
        """The addresses of a conversation's packets as texts."""
        if len(self._names) >= MAX_NAMES:
            self._names.clear()
        names = self._names[key] = address_text(key[:4]), address_text(key[4:8])
        return names
