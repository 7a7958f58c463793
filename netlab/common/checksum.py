"""The Internet checksum (RFC 1071), of ICMP, IP, TCP and UDP."""


def internet_checksum(data: bytes) -> int:
    """The 16 bits to put where ``data`` has zeros; 0 for data that has its own right checksum in it.

    The one's complement sum of 16-bit words is the number that the bytes spell modulo 65,535, because 65,536 leaves 1
    there; so Python's integers add all words at once. Data of an odd length counts as if a zero followed it.
    """
    if len(data) % 2:
        data += b"\0"
    spelt = int.from_bytes(data, "big")
    total = spelt % 0xFFFF
    # A sum of words is 0 only if all of them are; else what is congruent to 0 is 65,535.
    return 0xFFFF - total if total or not spelt else 0
