"""The facts as lines of text: a line a packet with its numbers, a few a conversation, or a table of conversations.

These are facts and no sentences; whoever reads them knows what Seq and Ack are.
"""

from collections.abc import Iterator, Mapping, Sequence

from netlab.trace.arp import REQUEST, Arp
from netlab.trace.facts import Conversation, Direction, Endpoint, Packet, Segment
from netlab.trace.flags import TIMES, Flag
from netlab.trace.icmp import Message
from netlab.trace.reading import Trace
from netlab.trace.summary import Summary, Talk
from netlab.trace.tcp import ACK, FIN, RST, SYN
from netlab.trace.udp import Datagram

_SECOND = 1_000_000_000
#: Of the table of conversations; which columns are texts.
_HEADINGS = ("TCP", "A", "B", "A→B", "B→A", "bytes A→B", "bytes B→A", "start s", "lasted s", "flags")
_TEXTS = (1, 2, 9)


def duration(time: int) -> str:
    """Nanoseconds as a person reads them: ``12.3 µs``, ``1.000 s``."""
    for unit, size in (("s", _SECOND), ("ms", 1_000_000), ("µs", 1_000)):
        if abs(time) >= size:
            return f"{time / size:.3f} {unit}"
    return f"{time} ns"


def endpoint(one: Endpoint) -> str:
    """``127.0.0.1:9999``, ``[::1]:9999``."""
    if one.port is None:
        return one.address
    return f"[{one.address}]:{one.port}" if ":" in one.address else f"{one.address}:{one.port}"


def report(trace: Trace) -> Iterator[str]:
    """A line for each packet as it is read, then the conversations."""
    began: int | None = None
    for packet in trace.packets():
        began = packet.time if began is None else began
        yield _packet(packet, packet.time - began)
    for conversation in trace.conversations():
        yield ""
        yield from _conversation(conversation)
    for talk in trace.datagram_conversations():
        ends = [endpoint(end) for end in talk.endpoints]
        counts = [f"{count} packets, {size:,} bytes" for count, size in zip(talk.packets, talk.bytes, strict=True)]
        yield ""
        yield f"UDP conversation {talk.number}: {ends[0]} ({counts[0]}) and {ends[1]} ({counts[1]})"


def _packet(packet: Packet, since: int) -> str:
    what = packet.transport
    seconds = f"{since // _SECOND}.{since % _SECOND:09d}" if since >= 0 else f"-{duration(-since)}"
    line = f"{packet.number:>6} {seconds:>14}  "
    if isinstance(what, Segment):
        line += _segment(packet, what)
    elif packet.source is None:
        line += _arp(what) if isinstance(what, Arp) else f"{packet.protocol}, {packet.length} bytes"
    else:
        line += f"{packet.source} → {packet.destination} {packet.protocol}{_carried(what)}"
    notes = [_numbers(flaw.kind, flaw.numbers) for flaw in packet.flaws]
    return line + "".join(f" <{note}>" for note in notes) + "".join(f" # {text}" for text in packet.comments)


def _segment(packet: Packet, what: Segment) -> str:
    source, destination = (
        Endpoint(packet.source or "", what.source_port),
        Endpoint(packet.destination or "", what.destination_port),
    )
    acknowledgment = f" Ack={what.acknowledgment}" if what.ack else ""
    line = (
        f"{endpoint(source)} → {endpoint(destination)} TCP {what.conversation} [{what.bits_text}] "
        f"Seq={what.sequence}{acknowledgment} Win={what.window} Len={what.length}"
    )
    if what.acknowledges is not None and what.rtt is not None:
        line += f" (acknowledges {what.acknowledges} after {duration(what.rtt)})"
    return line + "".join(f" [{_flag(flag)}]" for flag in what.flags)


def _flag(flag: Flag) -> str:
    return _numbers(flag.name, flag.numbers)


def _numbers(name: str, numbers: Mapping[str, int]) -> str:
    said = ", ".join(f"{word}={duration(number) if word in TIMES else number}" for word, number in numbers.items())
    return f"{name}: {said}" if said else name


def _carried(what: object) -> str:
    if isinstance(what, Datagram):
        return f" {what.source_port} → {what.destination_port} Len={what.length}"
    if isinstance(what, Message):
        echo = f" id={what.identifier} seq={what.sequence}" if what.identifier is not None else ""
        return f" {what.name} (type {what.type}, code {what.code}){echo} Len={what.length}"
    return ""


def _arp(what: Arp) -> str:
    if what.operation == REQUEST:
        return f"ARP: who has {what.target}? {what.sender} asks, from {what.sender_hardware}"
    return f"ARP: {what.sender} is at {what.sender_hardware}"


def _conversation(one: Conversation) -> Iterator[str]:
    ends = [endpoint(end) for end in one.endpoints]
    client = "the opening was not captured" if one.client is None else f"{ends[one.client]} opened it"
    yield f"TCP conversation {one.number}: {ends[0]} and {ends[1]}, packets {one.first} to {one.last}; {client}"
    yield f"  lasted {duration(one.ended - one.began)}, completeness {one.completeness}, initial round trip " + (
        duration(one.initial_rtt) if one.initial_rtt is not None else "unknown"
    )
    for end, direction in zip(ends, one.directions, strict=True):
        yield f"  {end} sent {_direction(direction)}"
    closing = one.closing
    by = f" by {ends[closing.by]}" if closing.by is not None else ""
    shown = ", ".join(f"{evidence.what} {evidence.frame}" for evidence in closing.evidence)
    yield f"  end: {_numbers(closing.cause + by, closing.numbers)} ({closing.confidence}{'; ' if shown else ''}{shown})"
    for remark in (*closing.remarks, *one.artefacts):
        yield f"  also: {_numbers(remark.kind, remark.numbers)}"


def _direction(one: Direction) -> str:
    words = [f"{one.packets} packets, {one.unique_bytes:,} bytes"]
    if one.bytes != one.unique_bytes:
        words.append(f"{one.bytes:,} with repetitions")
    if one.missing_bytes:
        words.append(f"{one.missing_bytes:,} missing")
    if one.rtt_mean is not None:
        words.append(f"round trip {duration(one.rtt_mean)} on average of {one.rtt_count}")
    words += [f"{count} × {kind}" for kind, count in sorted(one.flags.items())]
    return ", ".join(words)


def summary_report(summary: Summary) -> Iterator[str]:
    """A summary that has been read: totals, protocols, and the conversations, those with most packets first."""
    talks = summary.talks()
    lasted = duration(summary.ended - summary.began)
    yield f"{summary.packets:,} packets, {summary.bytes:,} bytes in {lasted}, {len(talks):,} TCP conversations"
    yield ", ".join(f"{name} {count:,}" for name, count in summary.protocols.most_common())
    if talks:
        yield ""
        ordered = sorted(talks, key=lambda one: -sum(one.packets))
        yield from _table([_HEADINGS, *(_row(talk, summary.began) for talk in ordered)])
    if summary.passed_over:
        yield f"{summary.passed_over:,} more TCP packets are of conversations beyond the limit of {len(talks):,}"


def _row(talk: Talk, began: int) -> tuple[str, ...]:
    bits = talk.bits[0] | talk.bits[1]
    names = " ".join(name for bit, name in ((SYN, "SYN"), (ACK, "ACK"), (FIN, "FIN"), (RST, "RST")) if bits & bit)
    start, lasted = (talk.began - began) / _SECOND, (talk.ended - talk.began) / _SECOND
    ends = map(endpoint, talk.endpoints)
    counts = (f"{count:,}" for count in (*talk.packets, *talk.bytes))
    return str(talk.number), *ends, *counts, f"{start:.6f}", f"{lasted:.6f}", names


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as what is in them: texts to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            cell.ljust(width) if place in _TEXTS else cell.rjust(width) for place, (cell, width) in enumerate(cells)
        ).rstrip()
