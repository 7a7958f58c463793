"""Conversations made by hand: what each side said, as segments, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from netlab.trace.app.application import Application
from netlab.trace.app.findings import Applications, Findings
from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header
from netlab.trace.reading import Trace
from tests.trace.frames import ACK, FIN, PSH, RST, SYN, ethernet, ipv4, tcp

CLIENT, SERVER = 0, 1
#: When captures begin, in ns since 1970: in the middle of a second.
BEGAN = 1_700_000_000_500_000_000
MILLISECOND = 1_000_000

#: nanoseconds since `BEGAN`, frame
Timed = tuple[int, bytes]


class Line:
    """A TCP connection: its frames, each a millisecond after the one before, or when ``now`` is set to."""

    def __init__(
        self, port: int = 9999, client_port: int = 40_000, client: str = "10.0.0.1", server: str = "10.0.0.2"
    ) -> None:
        self.frames: list[Timed] = []
        self.now = 0
        self._ports = client_port, port
        self._addresses = client, server
        self._next = [1000, 5000]

    def segment(self, sender: int, bits: int, payload: bytes = b"", skip: int = 0, options: bytes = b"") -> Line:
        """One segment; ``skip``: so many bytes before it were sent and not captured."""
        self._next[sender] = self._next[sender] + skip & 0xFFFFFFFF
        ports = self._ports if sender == CLIENT else self._ports[::-1]
        ends = self._addresses if sender == CLIENT else self._addresses[::-1]
        sequence, acknowledged = self._next[sender], self._next[1 - sender] if bits & ACK else 0
        one = tcp(bits, sequence, acknowledged, payload, ports=ports, options=options)
        self.frames.append(
            (self.now, ethernet(ipv4(one, source=ends[0], destination=ends[1], identity=self.now >> 20 & 0xFFFF)))
        )
        self._next[sender] += len(payload) + bool(bits & (SYN | FIN)) & 0xFFFFFFFF
        self.now += MILLISECOND
        return self

    def open(self, options: bytes = b"") -> Line:
        """The handshake."""
        self.segment(CLIENT, SYN, options=options).segment(SERVER, SYN | ACK, options=options)
        return self.segment(CLIENT, ACK)

    def say(self, sender: int, *payloads: bytes) -> Line:
        """Each in a segment of its own, none acknowledged alone."""
        for payload in payloads:
            self.segment(sender, PSH | ACK, payload)
        return self

    def wait(self, nanoseconds: int) -> Line:
        """Nothing happens for so long."""
        self.now += nanoseconds
        return self

    def close(self, sender: int = CLIENT) -> Line:
        """FIN from ``sender``, then from the other."""
        return self.segment(sender, FIN | ACK).segment(1 - sender, FIN | ACK).segment(sender, ACK)

    def refuse(self) -> Line:
        """A SYN, and an RST."""
        return self.segment(CLIENT, SYN).segment(SERVER, RST | ACK)


def talk(*messages: tuple[int, bytes], **line: Any) -> Line:
    """A connection with these messages, each in one segment."""
    made = Line(**line).open()
    for sender, payload in messages:
        made.say(sender, payload)
    return made.close()


def capture(frames: Iterable[Timed]) -> bytes:
    """A pcapng file of frames, in the order of their times."""
    blocks = [section_header(), interface_description(1)]
    blocks += [enhanced_packet(BEGAN + time, data) for time, data in sorted(frames, key=lambda frame: frame[0])]
    return b"".join(blocks)


def found_in(data: bytes, **options: Any) -> Findings:
    """What a capture file holds."""
    trace = Trace([data])
    applications = Applications(**options)
    for packet in trace.packets():
        applications.packet(packet)
    return applications.findings(trace.conversations())


def found(*lines: Line, **options: Any) -> Findings:
    """What these connections hold together."""
    return found_in(capture(frame for line in lines for frame in line.frames), **options)


def only(line: Line, **options: Any) -> Application:
    """The application of a single connection."""
    (application,) = found(line, **options).applications
    return application
