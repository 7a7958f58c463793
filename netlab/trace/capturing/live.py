"""What is captured, explained as it comes."""

from collections.abc import Iterator

from netlab.trace.dissect import Dissector
from netlab.trace.notation import details, ends_of, seconds
from netlab.trace.records import CaptureFile, Interface, Record
from netlab.trace.words.language import endpoint


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
            ends = ends_of(packet)
            between = f"{endpoint(ends[0])} → {endpoint(ends[1])}  " if ends else ""
            noted = "".join(f" # {comment}" for comment in packet.comments)
            yield f"{packet.number:>6} {seconds(packet.time - self._began):>13}  {between}{details(packet)}{noted}"
