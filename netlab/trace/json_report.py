"""The facts as JSON, piece by piece, so that a report of any length takes no memory (docs/json-trace.md).

A TCP segment is written field by field, because a general encoder would take longer for it than its analysis took.
"""

from collections.abc import Callable, Iterator, Mapping
from json import dumps
from struct import Struct
from typing import TYPE_CHECKING, Any

import attrs

from netlab.trace.arp import Arp
from netlab.trace.choosing import Source
from netlab.trace.facts import Packet, Segment
from netlab.trace.flags import Flag
from netlab.trace.icmp import Message, Quoted
from netlab.trace.ip import protocol_name
from netlab.trace.link import LINK_NAMES
from netlab.trace.summary import Summary
from netlab.trace.tcp import Options, bits_text, read_options
from netlab.trace.udp import Datagram

if TYPE_CHECKING:
    from netlab.trace.app.findings import Findings

#: Changes when a reader of an older one would misunderstand.
SCHEMA = "netlab-trace/1"
SUMMARY_SCHEMA = "netlab-trace-summary/1"

#: Options that are time stamps and nothing else, as Linux sends them in every segment.
_STAMPS = b"\x01\x01\x08\x0a"
_STAMPS_VALUES = Struct("!4xII")

_BITS: dict[int, str] = {}

#: The fields of a `Segment` up to ``raw_window``.
_SEGMENT = (
    ',"tcp":{"conversation":%s,"sender":%s,"source_port":%s,"destination_port":%s,"sequence":%s,"acknowledgment":%s,'
    '"raw_sequence":%s,"raw_acknowledgment":%s,"bits":%s,"window":%s,"raw_window":%s'
)


def time_text(time: int) -> str:
    """Nanoseconds since 1970 as seconds with nine decimals; a JSON number would lose some."""
    digits = str(time).zfill(10)
    return f"{digits[:-9]}.{digits[-9:]}"


def report(trace: Source, programs: "Callable[[], Findings] | None" = None) -> Iterator[str]:
    """The whole document, packets first; ``trace`` is read meanwhile.

    :param programs: what the programs said, asked for when all packets have been read; `None` leaves it out.
    """
    yield f'{{"schema":"{SCHEMA}",\n"packets":[\n'
    separator = ""
    for packet in trace.packets():
        segment = packet.transport
        if isinstance(segment, Segment):
            yield f"{separator}{_head(packet)}{_tcp(segment)}}}"
        else:
            yield f"{separator}{_head(packet)}{_other(segment)}}}"
        separator = ",\n"
    yield "\n],\n"
    yield from _array("conversations", map(conversation_value, trace.conversations()))
    yield from _array("datagram_conversations", (_timed(attrs.asdict(one)) for one in trace.datagram_conversations()))
    if programs is not None:
        yield from _programs(programs())
    yield f'"passed_over":{trace.passed_over},\n'
    yield f'"file":{dumps(_file(trace))},\n"damage":{_damage(trace)}}}\n'


def _programs(found: "Findings") -> Iterator[str]:
    from netlab.trace.app.values import arrays

    for name, values in arrays(found):
        yield from _listed(name, values)
    yield f'"left_out":{dumps(dict(found.left_out))},\n'


def _array(name: str, values: "Iterator[dict[str, Any]]") -> Iterator[str]:
    return _listed(name, map(dumps, values))


def _listed(name: str, texts: "Iterator[str]") -> Iterator[str]:
    yield f'"{name}":['
    separator = "\n"
    for text in texts:
        yield separator + text
        separator = ",\n"
    yield "\n],\n"


def _head(packet: Packet) -> str:
    """What packets of all kinds have, without the closing brace."""
    number, time, interface, _, length, data, protocol, source, destination, _, flaws, fragments, comments = packet
    head = f'{{"number":{number},"time":"{time_text(time)}","length":{length},"captured":{len(data)}'
    head += f',"protocol":"{protocol}"'
    if source is not None:
        head += f',"source":"{source}","destination":"{destination}"'
    if interface or flaws or fragments or comments:
        head += _seldom(packet)
    return head


def _seldom(packet: Packet) -> str:
    """What few packets have."""
    head = ""
    if packet.interface:
        head += f',"interface":{packet.interface}'
    if packet.fragments:
        head += f',"fragments":{list(packet.fragments)}'
    if packet.comments:
        head += f',"comments":{dumps(packet.comments)}'
    if packet.flaws:
        head += f',"flaws":{dumps([attrs.asdict(flaw) for flaw in packet.flaws])}'
    return head


def _tcp(one: Segment) -> str:
    """A segment, its first fields at one go: they are in the order of the tuple."""
    scale, urgent, length, payload, options, flags, acknowledges, rtt, since = one[11:]
    bits = one.bits
    text = _BITS.get(bits)
    if text is None:
        text = _BITS[bits] = bits_text(bits)
    said = f'{_SEGMENT % one[:11]},"flags":"{text}","length":{length},"since":{since}'
    if scale is not None:
        said += f',"scale":{scale}'
    if acknowledges is not None:
        said += f',"acknowledges":{acknowledges},"rtt":{rtt}'
    if urgent:
        said += f',"urgent":{urgent}'
    if len(payload) < length:
        said += f',"payload_captured":{len(payload)}'
    if len(options) == 12 and options.startswith(_STAMPS):
        value, echo = _STAMPS_VALUES.unpack(options)
        said += f',"options":{{"timestamps":[{value},{echo}]}}'
    elif options:
        said += f',"options":{dumps(options_value(read_options(options)))}'
    if flags:
        said += f',"analysis":{dumps([flag_value(flag) for flag in flags])}'
    return said + "}"


def _other(one: "Datagram | Message | Arp | None") -> str:
    if isinstance(one, Datagram):
        value = attrs.asdict(one, filter=lambda field, _: field.name != "payload")
        return f',"udp":{dumps(value | {"payload_captured": len(one.payload)})}'
    if isinstance(one, Message):
        return f',"icmp":{dumps(_icmp(one))}'
    return f',"arp":{dumps(attrs.asdict(one))}' if isinstance(one, Arp) else ""


def _icmp(one: Message) -> dict[str, Any]:
    value = _present(attrs.asdict(one, recurse=False))
    value |= {"name": one.name, "payload_captured": len(one.payload)}
    del value["payload"]
    if isinstance(one.quoted, Quoted):
        value["quoted"] = _present(attrs.asdict(one.quoted)) | {"protocol_name": protocol_name(one.quoted.protocol)}
    return value


def flag_value(flag: Flag) -> dict[str, Any]:
    """An analysis flag, with Wireshark's name for it."""
    return {"kind": flag.kind, "name": flag.name, "numbers": flag.numbers}


def options_value(options: Options) -> dict[str, Any]:
    """The TCP options that are there."""
    value = {name: what for name, what in attrs.asdict(options).items() if what not in (None, False, ())}
    if options.fast_open is not None:
        value["fast_open"] = options.fast_open.hex()
    return value


def conversation_value(conversation: Any) -> dict[str, Any]:
    """A TCP conversation."""
    value = attrs.asdict(conversation)
    for direction, facts in zip(value["directions"], conversation.directions, strict=True):
        direction["options"] = options_value(facts.options) if facts.options else None
    return _timed(value)


def _timed(value: dict[str, Any]) -> dict[str, Any]:
    return value | {"began": time_text(value["began"]), "ended": time_text(value["ended"])}


def _present(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: what for name, what in value.items() if what is not None}


def _file(source: "Source | Summary") -> dict[str, Any]:
    value = attrs.asdict(source.file)
    for interface, facts in zip(value["interfaces"], source.file.interfaces, strict=True):
        interface["link_name"] = LINK_NAMES.get(facts.link_type, f"link type {facts.link_type}")
        for name in ("multiplier", "divisor", "offset"):
            del interface[name]
    return value


def _damage(source: "Source | Summary") -> str:
    return dumps(attrs.asdict(source.damage) if source.damage else None)


def summary_report(summary: Summary) -> Iterator[str]:
    """A summary that has been read, as a document of its own."""
    yield f'{{"schema":"{SUMMARY_SCHEMA}",\n'
    for name in ("packets", "bytes", "passed_over"):
        yield f'"{name}":{getattr(summary, name)},\n'
    yield f'"began":"{time_text(summary.began)}","ended":"{time_text(summary.ended)}",\n'
    yield f'"protocols":{dumps(summary.protocols)},\n'
    yield from _array("conversations", (_timed(attrs.asdict(talk)) for talk in summary.talks()))
    yield f'"file":{dumps(_file(summary))},\n"damage":{_damage(summary)}}}\n'
