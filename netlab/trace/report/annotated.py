"""A capture written anew as pcapng, with comments that say what a calculator's packets mean (docs/wireshark.md)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from netlab.common.printable import printable
from netlab.trace.app.application import CALC
from netlab.trace.app.findings import Applications, Findings
from netlab.trace.choosing import Choice, Chosen
from netlab.trace.pcapng_write import enhanced_packet, interface_description, interface_statistics, section_header
from netlab.trace.reading import Trace

if TYPE_CHECKING:
    from netlab.trace.app.calc import CalcMessage
    from netlab.trace.facts import Packet

#: What a comment of ours begins with; the Lua dissector knows it by that.
MARK = "calc: "
#: Characters of a comment; a longer one is cut.
MAX_COMMENT = 4_000

#: Comments by frame.
Comments = Mapping[int, tuple[str, ...]]


def comments_of(trace: Trace, proxies: Mapping[int, str]) -> Comments:
    """Read ``trace`` and tell what each calculator message says, at the packet that completes it, in their order.

    :param proxies: roles by port, as `Applications` has them.
    """
    applications = Applications(roles=proxies)
    for packet in trace.packets():
        applications.packet(packet)
    return _comments(applications.findings(trace.conversations()))


def annotated(trace: Trace, choice: Choice | None, comments: Comments, application: str) -> Iterator[bytes]:
    """The same capture again as the blocks of a pcapng file: the packets that are chosen, with ``comments`` too.

    Other comments stay. ``application`` is who wrote it.
    """
    source = Chosen(trace, choice)
    described = packets = time = 0
    begun = False
    for packet in source.packets():
        if not begun:
            yield _head(trace, application)
            begun = True
        yield from _interfaces(trace, described)
        described = len(trace.file.interfaces)
        yield _packet(packet, comments.get(packet.number, ()))
        packets, time = packets + 1, packet.time
    if not begun:
        yield _head(trace, application)
    yield from _interfaces(trace, described)
    if trace.file.dropped is not None and trace.file.interfaces:
        yield interface_statistics(time, packets + trace.file.dropped, trace.file.dropped)


def _comments(found: Findings) -> Comments:
    comments = {}
    for frame, notes in found.notes().items():
        texts = tuple(_text(note.what) for note in notes if note.protocol == CALC and note.last)
        if texts:
            comments[frame] = texts
    return comments


def _text(one: "CalcMessage") -> str:
    """What a message says, in the notation of its protocol; ``?`` and the reason where it cannot be read."""
    if one.problem is not None:
        said = f"? {one.problem}"
    elif one.error is not None:
        said = f"{one.error.kind}: {one.error.message}"
    elif one.expression is not None:
        said = one.expression
    else:
        steps = f" [{' → '.join(one.steps)}]" if one.steps else ""
        said = f"{one.result}{steps}"
    text = printable(said)
    return MARK + (text if len(text) <= MAX_COMMENT else text[:MAX_COMMENT] + "…")


def _head(trace: Trace, application: str) -> bytes:
    file = trace.file
    return section_header(application, file.system, file.hardware, "\n".join(file.comments))


def _interfaces(trace: Trace, described: int) -> Iterator[bytes]:
    """Descriptions of those that the file has told of since."""
    for one in trace.file.interfaces[described:]:
        yield interface_description(one.link_type, one.snap_length, one.name, one.description, one.filter)


def _packet(packet: "Packet", comments: tuple[str, ...]) -> bytes:
    others = tuple(comment for comment in packet.comments if not comment.startswith(MARK))
    return enhanced_packet(packet.time, packet.data, packet.length, packet.interface, (*others, *comments))
