"""What is captured, explained as it comes."""

from collections.abc import Iterator

from netlab.trace.dissect import Dissector
from netlab.trace.records import CaptureFile, Interface, Record
from netlab.trace.text_report import packet_line


class Live:
    """Explains the packets of one capture on one interface, in order."""

    def __init__(self, link_type: int) -> None:
        self._dissector = Dissector(CaptureFile(interfaces=[Interface(link_type)]))
        self._began: int | None = None

    def lines(self, records: list[Record]) -> Iterator[str]:
        """The lines for the next packets."""
        for record in records:
            packet = self._dissector.packet(record)
            if self._began is None:
                self._began = packet.time
            yield packet_line(packet, packet.time - self._began)
