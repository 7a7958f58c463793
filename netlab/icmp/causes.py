"""What ICMP errors mean, in the words of RFC 792, RFC 1812 §5.2.7.1 and RFC 4443."""

from netlab.icmp.packet import Family

_TOO_BIG = {(Family.IPV4, 3, 4), (Family.IPV6, 2, 0)}

_CAUSES = {
    Family.IPV4: {
        (3, 0): "network unreachable",
        (3, 1): "host unreachable",
        (3, 2): "protocol unreachable",
        (3, 3): "port unreachable",
        (3, 4): "fragmentation needed",
        (3, 5): "source route failed",
        (3, 6): "network unknown",
        (3, 7): "host unknown",
        (3, 8): "source host isolated",
        (3, 9): "network prohibited",
        (3, 10): "host prohibited",
        (3, 11): "network unreachable for this type of service",
        (3, 12): "host unreachable for this type of service",
        (3, 13): "administratively prohibited",
        (3, 14): "host precedence violation",
        (3, 15): "precedence cutoff in effect",
        (11, 0): "time to live exceeded",
        (11, 1): "fragment reassembly time exceeded",
        (12, 0): "parameter problem",
        (12, 1): "required option missing",
        (12, 2): "bad length",
    },
    Family.IPV6: {
        (1, 0): "no route to destination",
        (1, 1): "administratively prohibited",
        (1, 2): "beyond scope of source address",
        (1, 3): "address unreachable",
        (1, 4): "port unreachable",
        (1, 5): "source address failed policy",
        (1, 6): "reject route to destination",
        (2, 0): "packet too big",
        (3, 0): "hop limit exceeded",
        (3, 1): "fragment reassembly time exceeded",
        (4, 0): "erroneous header field",
        (4, 1): "unrecognized next header",
        (4, 2): "unrecognized option",
    },
}


def cause(family: Family, kind: int, code: int, rest: int = 0) -> str:
    """What an error of this type and code says; ``rest`` is where those about size have the MTU of the next link."""
    words = _CAUSES[family].get((kind, code)) or f"ICMP error of type {kind}, code {code}"
    mtu = rest & 0xFFFF if family is Family.IPV4 else rest
    return f"{words} (MTU {mtu:,})" if (family, kind, code) in _TOO_BIG and mtu else words
