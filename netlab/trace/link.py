"""Link layers: where a packet's network layer begins, and what stands before it.

Ethernet II and 802.3 with VLAN tags, Linux cooked captures v1 and v2, BSD loopback (NULL, as Windows uses it too, and
LOOP), raw IP. Numbers are LINKTYPE values (https://www.tcpdump.org/linktypes.html).
"""

from struct import Struct

from attrs import frozen

NULL, ETHERNET, RAW, LOOP, COOKED, IPV4, IPV6, COOKED2 = 0, 1, 101, 108, 113, 228, 229, 276
#: What DLT_RAW was in files of some systems.
_RAW = {RAW, 12, 14, IPV4, IPV6}

ETHERTYPE_IPV4, ETHERTYPE_ARP, ETHERTYPE_IPV6 = 0x0800, 0x0806, 0x86DD
#: 802.1Q, 802.1ad, and two older numbers for the outer tag.
_VLAN_TAGS = {0x8100, 0x88A8, 0x9100, 0x9200}
MAX_TAGS = 8
#: Address families of a loopback header: IPv4, and IPv6 as Linux, Windows, NetBSD, FreeBSD and macOS number it.
_FAMILIES = {2: ETHERTYPE_IPV4, **dict.fromkeys((10, 23, 24, 28, 30), ETHERTYPE_IPV6)}

#: What `network_of` says where the network layer is none that has an EtherType here.
UNKNOWN = -1
#: … and where the packet is cut before it can be known.
CUT = -2

LINK_NAMES = {
    NULL: "NULL",
    ETHERNET: "Ethernet",
    RAW: "raw IP",
    LOOP: "LOOP",
    COOKED: "SLL",
    COOKED2: "SLL2",
    IPV4: "raw IPv4",
    IPV6: "raw IPv6",
    105: "IEEE 802.11",
    127: "radiotap",
    147: "user 0",
    189: "USB",
    195: "IEEE 802.15.4",
    220: "USB",
    249: "USBPcap",
    253: "netlink",
}

ETHERTYPE_NAMES = {
    ETHERTYPE_IPV4: "IPv4",
    ETHERTYPE_ARP: "ARP",
    ETHERTYPE_IPV6: "IPv6",
    0x0842: "Wake-on-LAN",
    0x8035: "RARP",
    0x8847: "MPLS",
    0x8848: "MPLS",
    0x8863: "PPPoE",
    0x8864: "PPPoE",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x88F7: "PTP",
    0x9000: "loopback test",
}

_SLL2 = Struct("!HHIHBB8s")


@frozen
class Link:
    """What a link layer says.

    ``kind`` is a name of `LINK_NAMES`; ``source`` and ``destination`` are hardware addresses such as
    ``02:00:00:00:00:01``, empty where there is none. ``vlans`` are VLAN numbers, the outermost first. ``direction`` is
    that of a cooked capture: 0 to us, 1 broadcast, 2 multicast, 3 to somebody else, 4 from us, `None` elsewhere.
    """

    kind: str
    source: str = ""
    destination: str = ""
    vlans: tuple[int, ...] = ()
    direction: int | None = None


def network_of(link_type: int, data: bytes) -> tuple[int, int]:
    """The EtherType of what ``data`` carries, and where it begins; the type may be `UNKNOWN` or `CUT`."""
    if link_type == ETHERNET:
        return _after_ethernet(data)
    if link_type in _RAW:
        version = data[0] >> 4 if data else 0
        return {4: ETHERTYPE_IPV4, 6: ETHERTYPE_IPV6}.get(version, UNKNOWN if data else CUT), 0
    if link_type == COOKED:
        return _tagged(data, 14)
    if link_type == COOKED2:
        return (int.from_bytes(data[:2], "big"), 20) if len(data) >= 20 else (CUT, len(data))
    if link_type in (NULL, LOOP):
        return _after_family(link_type, data)
    return UNKNOWN, 0


def _after_ethernet(data: bytes) -> tuple[int, int]:
    kind, start = _tagged(data, 12)
    if 0 <= kind < 0x0600:
        # 802.3: a length; what follows may name an EtherType in SNAP (RFC 1042).
        if data[start : start + 6] == b"\xaa\xaa\x03\0\0\0" and len(data) >= start + 8:
            return int.from_bytes(data[start + 6 : start + 8], "big"), start + 8
        return UNKNOWN, start
    return kind, start


def _tagged(data: bytes, place: int) -> tuple[int, int]:
    """The EtherType at ``place``, after VLAN tags."""
    for _ in range(MAX_TAGS):
        if len(data) < place + 2:
            return CUT, len(data)
        kind = data[place] << 8 | data[place + 1]
        if kind not in _VLAN_TAGS:
            return kind, place + 2
        place += 4
    return UNKNOWN, place


def _after_family(link_type: int, data: bytes) -> tuple[int, int]:
    """A NULL header is in the byte order of the machine that captured, a LOOP header in the network's."""
    if len(data) < 4:
        return CUT, len(data)
    family = int.from_bytes(data[:4], "big")
    if link_type == NULL and family > 0xFFFF:
        family = int.from_bytes(data[:4], "little")
    return _FAMILIES.get(family, UNKNOWN), 4


def name_of(link_type: int, ethertype: int) -> str:
    """What a packet is called whose network layer is not read here."""
    if ethertype >= 0:
        return ETHERTYPE_NAMES.get(ethertype, f"EtherType 0x{ethertype:04x}")
    return LINK_NAMES.get(link_type, f"link type {link_type}")


def link_of(link_type: int, data: bytes) -> Link:
    """What the link layer of ``data`` says, as far as it goes."""
    kind = LINK_NAMES.get(link_type, f"link type {link_type}")
    if link_type == ETHERNET and len(data) >= 12:
        return Link(kind, hardware_text(data[6:12]), hardware_text(data[:6]), _vlans(data, 12))
    if link_type == COOKED and len(data) >= 16:
        length = min(int.from_bytes(data[4:6], "big"), 8)
        return Link(kind, hardware_text(data[6 : 6 + length]), "", _vlans(data, 14), data[1])
    if link_type == COOKED2 and len(data) >= 20:
        *_, direction, length, address = _SLL2.unpack_from(data)
        return Link(kind, hardware_text(address[: min(length, 8)]), direction=direction)
    return Link(kind)


def _vlans(data: bytes, place: int) -> tuple[int, ...]:
    found: list[int] = []
    while len(found) < MAX_TAGS and int.from_bytes(data[place : place + 2], "big") in _VLAN_TAGS:
        found.append(int.from_bytes(data[place + 2 : place + 4], "big") & 0x0FFF)
        place += 4
    return tuple(found)


def hardware_text(address: bytes) -> str:
    """A hardware address as it is written."""
    return address.hex(":")
