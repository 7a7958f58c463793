"""A capture with comments: what each cited packet shows, for who opens it in Wireshark."""

from collections.abc import Mapping, Sequence

from netlab.trace.pcapng_write import enhanced_packet, interface_description, interface_statistics, section_header
from netlab.trace.records import CaptureFile, read_records
from netlab.trace.window import Window


def commented(capture: bytes, comments: Mapping[int, Sequence[str]], about: str) -> bytes:
    """``capture`` with these comments by frame, beside those that it has, and ``about`` as the section's.

    :raises DamagedCapture: it is damaged.
    """
    file = CaptureFile()
    blocks: list[bytes] = []
    last = count = 0
    for frame, record in enumerate(read_records(Window([capture]), file), 1):
        said = (*record.comments, *comments.get(frame, ()))
        last = record.time or last
        blocks.append(enhanced_packet(last, record.data, record.length, record.interface, said))
        count = frame
    described = [interface_description(each.link_type, each.snap_length, each.name) for each in file.interfaces]
    head = section_header(file.application, file.system, comment=about)
    dropped = file.dropped or 0
    tail = [interface_statistics(last, count + dropped, dropped)] if described else []
    return b"".join((head, *described, *blocks, *tail))
