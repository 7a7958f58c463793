"""Which packets the kernel gives us: a program for its classic packet filter (Linux, networking/filter.rst).

Places in a packet are counted from its network header, so that one program serves every link layer.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import NamedTuple

#: struct sock_filter of linux/filter.h.
_SOCK_FILTER = Struct("=HBBI")
#: Bytes of an instruction.
SIZE = _SOCK_FILTER.size

#: More would not fit: a jump goes at most 255 instructions ahead, and each port is compared four times.
MAX_PORTS = 48

#: Offsets that the kernel reads as questions about the packet (SKF_AD_OFF), and from the network header (SKF_NET_OFF).
PROTOCOL, DIRECTION, INTERFACE = ((-0x1000 + which) & 0xFFFFFFFF for which in (0, 4, 8))
NETWORK = -0x100000 & 0xFFFFFFFF

#: PACKET_OUTGOING.
OUTGOING = 4

_IPV4, _IPV6 = 0x0800, 0x86DD
_ICMP, _TCP, _UDP, _ICMP6 = 1, 6, 17, 58
#: IPv6 extension headers. What is behind them is not looked at in the kernel: the packet is taken.
_EXTENSIONS = (0, 43, 44, 60)

# Instructions: class, size and mode in one number.
LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30
LOAD_HALF_AFTER, LOAD_HEADER_LENGTH = 0x48, 0xB1
JUMP_EQUAL, JUMP_ANY_BIT, RETURN = 0x15, 0x45, 0x06


class Instruction(NamedTuple):
    """One instruction: ``true`` and ``false`` are how many to pass over, of a jump."""

    code: int
    true: int
    false: int
    value: int


class _Jump(NamedTuple):
    """A jump whose targets are still names; an empty name is the next instruction."""

    code: int
    value: int
    true: str
    false: str


def program(ports: Iterable[int], *, icmp: bool, loopback: int, snap_length: int) -> list[Instruction]:
    """Takes TCP and UDP of ``ports``, ICMP and ICMPv6 if ``icmp``; everything if neither is given.

    ``ports`` are source or destination. Of a datagram cut by IP all parts are taken, for only the first has ports.
    On the interface with the index ``loopback`` each packet is seen going out and coming in, and taken once.

    :raises ValueError: more than `MAX_PORTS` ports, or numbers that are no ports.
    """
    once: list[_Line] = [
        _load(LOAD_WORD, INTERFACE),
        _Jump(JUMP_EQUAL, loopback, "", "seen once"),
        _load(LOAD_WORD, DIRECTION),
        _Jump(JUMP_EQUAL, OUTGOING, "reject", ""),
        "seen once",
    ]
    return _assemble(once + _wanted(_checked(ports), icmp), snap_length)


def pack(instructions: list[Instruction]) -> bytes:
    """As the kernel takes it: an array of ``struct sock_filter``."""
    return b"".join(_SOCK_FILTER.pack(*instruction) for instruction in instructions)


_Line = Instruction | _Jump | str


def _checked(ports: Iterable[int]) -> list[int]:
    numbers = sorted(set(ports))
    if len(numbers) > MAX_PORTS:
        raise ValueError(f"at most {MAX_PORTS} ports can be captured at once")
    if any(not 0 < number < 65_536 for number in numbers):
        raise ValueError("a port is a number from 1 to 65,535")
    return numbers


def _load(code: int, place: int) -> Instruction:
    return Instruction(code, 0, 0, place)


def _wanted(ports: list[int], icmp: bool) -> list[_Line]:
    """Goes to ``accept`` or ``reject``; a line that is a text is the name of the place after it."""
    if not ports and not icmp:
        return [_jump_always("accept")]
    protocols = (_TCP, _UDP) if ports else ()
    return [
        _load(LOAD_WORD, PROTOCOL),
        _Jump(JUMP_EQUAL, _IPV4, "ipv4", ""),
        _Jump(JUMP_EQUAL, _IPV6, "ipv6", "reject"),
        "ipv4",
        _load(LOAD_BYTE, NETWORK + 9),
        *_any_of([_ICMP] if icmp else [], "accept"),
        *_any_of(protocols, "ports of ipv4"),
        _jump_always("reject"),
        "ports of ipv4",
        _load(LOAD_HALF, NETWORK + 6),
        _Jump(JUMP_ANY_BIT, 0x1FFF, "accept", ""),  # a later fragment
        _load(LOAD_HEADER_LENGTH, NETWORK),
        *_port_tests(ports, lambda place: _load(LOAD_HALF_AFTER, NETWORK + place)),
        "ipv6",
        _load(LOAD_BYTE, NETWORK + 6),
        *_any_of([_ICMP6] if icmp else [], "accept"),
        *_any_of(_EXTENSIONS, "accept"),
        *_any_of(protocols, "ports of ipv6"),
        _jump_always("reject"),
        "ports of ipv6",
        *_port_tests(ports, lambda place: _load(LOAD_HALF, NETWORK + 40 + place)),
    ]


def _any_of(values: Iterable[int], target: str) -> list[_Line]:
    return [_Jump(JUMP_EQUAL, value, target, "") for value in values]


def _port_tests(ports: list[int], load: Callable[[int], Instruction]) -> list[_Line]:
    """Compare the source port, at 0, and the destination port, at 2, with each."""
    tests = [line for place in (0, 2) for line in (load(place), *_any_of(ports, "accept"))]
    return [*tests, _jump_always("reject")]


def _jump_always(target: str) -> _Jump:
    return _Jump(JUMP_EQUAL, 0, target, target)


def _assemble(lines: list[_Line], snap_length: int) -> list[Instruction]:
    """Replace names by distances, with the two returns at the end."""
    returns = {"accept": Instruction(RETURN, 0, 0, snap_length), "reject": Instruction(RETURN, 0, 0, 0)}
    placed: list[Instruction | _Jump] = []
    names: dict[str, int] = {}
    for line in lines:
        if isinstance(line, str):
            names[line] = len(placed)
        elif isinstance(line, _Jump) and line.true == line.false and line.true in returns:
            placed.append(returns[line.true])
        else:
            placed.append(line)
    for name, last in returns.items():
        names[name] = len(placed)
        placed.append(last)
    return [_resolved(line, place, names) for place, line in enumerate(placed)]


def _resolved(line: Instruction | _Jump, place: int, names: dict[str, int]) -> Instruction:
    if isinstance(line, Instruction):
        return line
    true, false = (names[name] - place - 1 if name else 0 for name in (line.true, line.false))
    return Instruction(line.code, true, false, line.value)
