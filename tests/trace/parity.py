"""Our facts beside tshark's, frame by frame."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from netlab.trace.facts import Segment
from netlab.trace.flags import DUPLICATE_ACK, WIRESHARK_NAMES
from netlab.trace.opening import blocks_of
from netlab.trace.reading import Trace
from netlab.trace.tcp import ACK

PATIENCE = 120.0

NUMBERS = {
    "stream": "tcp.stream",
    "seq": "tcp.seq",
    "ack": "tcp.ack",
    "raw_seq": "tcp.seq_raw",
    "len": "tcp.len",
    "window": "tcp.window_size",
    "raw_window": "tcp.window_size_value",
    "next": "tcp.nxtseq",
    "acks": "tcp.analysis.acks_frame",
    "dup_number": "tcp.analysis.duplicate_ack_num",
    "dup_frame": "tcp.analysis.duplicate_ack_frame",
    "rto_frame": "tcp.analysis.rto_frame",
}
TEXTS = {"bits": "tcp.flags"}

Facts = dict[str, Any]


def tshark(path: Path, *names: str, passes: int = 1) -> list[dict[str, list[str]]]:
    """What tshark says of each frame: the fields ``names``, each with its values.

    In its second pass it knows how complete each conversation is in the end, but shows numbers relative to what the
    last packets made of their base.
    """
    words = ["tshark", "-n", *(["-2"] if passes == 2 else []), "-r", str(path), "-T", "json"]
    for name in names:
        words += ["-e", name]
    done = subprocess.run(words, capture_output=True, check=True, timeout=PATIENCE)
    return [frame["_source"]["layers"] for frame in json.loads(done.stdout)]


def theirs(path: Path) -> Iterator[tuple[int, Facts]]:
    """Tshark's facts of every TCP frame, by frame number."""
    flags = {kind: f"tcp.analysis.{kind}" for kind in WIRESHARK_NAMES}
    complete = [layers.get("tcp.completeness") for layers in tshark(path, "tcp.completeness", passes=2)]
    for layers in tshark(path, "frame.number", "icmp.type", *NUMBERS.values(), *TEXTS.values(), *flags.values()):
        # What an error quotes has the fields of TCP too.
        if "tcp.stream" not in layers or "icmp.type" in layers:
            continue
        facts: Facts = {name: int(layers[field][0]) for name, field in NUMBERS.items() if field in layers}
        facts["bits"] = int(layers["tcp.flags"][0], 16)
        facts["flags"] = _one_name({kind for kind, field in flags.items() if field in layers})
        number = int(layers["frame.number"][0])
        facts["completeness"] = int((complete[number - 1] or ["-1"])[0])
        yield number, facts


def _one_name(kinds: set[str]) -> set[str]:
    """Fast and spurious retransmissions have the expert note of the plain ones as well."""
    if kinds & {"fast_retransmission", "spurious_retransmission"}:
        return kinds - {"retransmission"}
    return kinds


def ours(path: Path) -> Iterator[tuple[int, Facts]]:
    """Our facts of every TCP frame, by frame number."""
    trace = Trace(blocks_of(str(path)))
    found = [(packet.number, packet.transport) for packet in trace.packets()]
    completeness = {conversation.number: conversation.completeness for conversation in trace.conversations()}
    for number, segment in found:
        if isinstance(segment, Segment):
            yield number, _facts(segment) | {"completeness": completeness[segment.conversation]}


def _facts(segment: Segment) -> Facts:
    facts: Facts = {
        "stream": segment.conversation,
        "seq": segment.sequence,
        "ack": segment.acknowledgment,
        "raw_seq": segment.raw_sequence,
        "len": segment.length,
        "window": segment.window,
        "raw_window": segment.raw_window,
        "next": segment.next_sequence,
        "bits": segment.bits,
        "flags": {flag.kind for flag in segment.flags},
    }
    if segment.acknowledges is not None:
        facts["acks"] = segment.acknowledges
    for flag in segment.flags:
        if flag.kind == DUPLICATE_ACK:
            facts |= {"dup_number": flag.numbers["number"], "dup_frame": flag.numbers["of_frame"]}
        if flag.kind == "retransmission" and flag.numbers["timeout"]:
            facts["rto_frame"] = flag.numbers["of_frame"]
    return facts


def differences(path: Path) -> tuple[int, dict[int, Facts]]:
    """How many TCP frames there are, and for each that differs what we say and what tshark says."""
    their, our = dict(theirs(path)), dict(ours(path))
    _excuse(their, our)
    different = {}
    for number in sorted(their.keys() | our.keys()):
        one, two = our.get(number, {}), their.get(number, {})
        if one != two:
            pairs = {name: (one.get(name), two.get(name)) for name in one | two}
            different[number] = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return len(their), different


def _excuse(their: dict[int, Facts], our: dict[int, Facts]) -> None:
    """Leave out which frame is acknowledged where a SYN was repeated.

    tshark takes the 0 in the field of a segment without ACK flag for an acknowledgment. If that lies ahead of the
    other's numbers, as it does for half of all initial numbers, the other's SYN-ACK is forgotten.
    """
    without_ack = Counter(facts["stream"] for facts in their.values() if not facts["bits"] & ACK)
    for facts in (*their.values(), *our.values()):
        if without_ack[facts["stream"]] > 1:
            facts.pop("acks", None)
            facts.pop("rto_frame", None)
