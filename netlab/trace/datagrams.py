"""UDP conversations: who spoke with whom, how often and how much."""

from collections.abc import Iterator

from netlab.trace.facts import DatagramConversation, Endpoint
from netlab.trace.ip import address_text
from netlab.trace.udp import Datagram

#: Conversations of one capture that are counted.
MAX_CONVERSATIONS = 65_536


class _Exchange:
    """One conversation in progress."""

    __slots__ = ("addresses", "began", "bytes", "ended", "first", "last", "number", "packets", "ports")

    def __init__(self, number: int, addresses: tuple[str, str], ports: tuple[int, int], frame: int, time: int) -> None:
        self.number = number
        self.addresses = addresses
        self.ports = ports
        self.first = self.last = frame
        self.began = self.ended = time
        self.packets = [0, 0]
        self.bytes = [0, 0]


class Datagrams:
    """Datagrams in, conversations out; keys are as in `netlab.trace.conversations`."""

    def __init__(self) -> None:
        self._table: dict[bytes, tuple[_Exchange, int]] = {}
        self._exchanges: list[_Exchange] = []

    def datagram(self, key: bytes, frame: int, time: int, length: int, payload: bytes) -> Datagram:
        """What a datagram of ``length`` bytes of payload is in its conversation."""
        source, destination = int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")
        entry = self._table.get(key) or self._begin(key, (source, destination), frame, time)
        if entry is None:
            return Datagram(None, 0, source, destination, length, payload)
        exchange, sender = entry
        exchange.last, exchange.ended = frame, time
        exchange.packets[sender] += 1
        exchange.bytes[sender] += length
        return Datagram(exchange.number, sender, source, destination, length, payload)

    def _begin(self, key: bytes, ports: tuple[int, int], frame: int, time: int) -> tuple[_Exchange, int] | None:
        if len(self._exchanges) >= MAX_CONVERSATIONS:
            return None
        size = (len(key) - 4) // 2
        source, destination = key[:size], key[size : 2 * size]
        exchange = _Exchange(
            len(self._exchanges), (address_text(source), address_text(destination)), ports, frame, time
        )
        self._exchanges.append(exchange)
        self._table[destination + source + key[-2:] + key[-4:-2]] = exchange, 1
        self._table[key] = exchange, 0
        return exchange, 0

    def facts(self) -> Iterator[DatagramConversation]:
        """Every conversation so far, by number."""
        for one in self._exchanges:
            first, second = (Endpoint(*pair) for pair in zip(one.addresses, one.ports, strict=True))
            yield DatagramConversation(
                one.number,
                (first, second),
                one.first,
                one.last,
                one.began,
                one.ended,
                (one.packets[0], one.packets[1]),
                (one.bytes[0], one.bytes[1]),
            )
