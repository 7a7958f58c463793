"""A machine for the kernel's packet filter (networking/filter.rst): what our programs do, step by step."""

from __future__ import annotations

from attrs import frozen

from netlab.trace.capturing import packet_filter as pf


class OutsideError(Exception):
    """A load outside the packet: the kernel ends the program there, and takes nothing."""


@frozen
class Skb:
    """A packet as a filter sees it: its network header and all behind it, and what the kernel knows besides."""

    network: bytes
    protocol: int
    interface: int = 2
    direction: int = 0


def taken(program: list[pf.Instruction], packet: Skb) -> int:
    """How many bytes the program takes of the packet; 0 refuses it."""
    place = accumulator = index = 0
    try:
        for _ in range(len(program)):
            code, true, false, value = program[place]
            place += 1
            if code == pf.RETURN:
                return value
            if code == pf.JUMP_EQUAL:
                place += true if accumulator == value else false
            elif code == pf.JUMP_ANY_BIT:
                place += true if accumulator & value else false
            elif code == pf.LOAD_HEADER_LENGTH:
                index = 4 * (_load(packet, value, 1) & 0x0F)
            elif code == pf.LOAD_HALF_AFTER:
                accumulator = _load(packet, value + index, 2)
            else:
                accumulator = _load(packet, value, {pf.LOAD_WORD: 4, pf.LOAD_HALF: 2, pf.LOAD_BYTE: 1}[code])
    except OutsideError:
        return 0
    raise AssertionError("the program did not end")


def _load(packet: Skb, place: int, size: int) -> int:
    known = {pf.PROTOCOL: packet.protocol, pf.INTERFACE: packet.interface, pf.DIRECTION: packet.direction}
    if place in known:
        return known[place]
    start = place - pf.NETWORK
    if not 0 <= start <= len(packet.network) - size:
        raise OutsideError
    return int.from_bytes(packet.network[start : start + size], "big")
