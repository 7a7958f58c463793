"""What only looks odd because of how it was captured, in words (docs/trace-apps.md)."""

from collections.abc import Callable, Iterable, Iterator

from netlab.trace.app.artefacts import LOOPBACK, Artefact
from netlab.trace.words.sentence import Duration, Listing, Plain, Sentence, Value, counted, octets, said

#: Packets of an artefact that are named.
MAX_NAMED = 8


def artefact_sentence(one: Artefact, sender: Value = "") -> Sentence:
    """What an artefact means; ``sender`` is the side that it is about, in words."""
    return ARTEFACTS[one.kind](one, sender)


def artefact_notes(found: Iterable[Artefact]) -> Iterator[tuple[int, Sentence]]:
    """What is said at the packets themselves: the packet, and the sentence."""
    for one in found:
        note = _NOTES.get(one.kind)
        if note is not None:
            sentence = note(one)
            yield from ((frame, sentence) for frame in one.frames)


def on_loopback(found: Iterable[Artefact]) -> Iterator[Sentence]:
    """Of how many conversations the packets met no network."""
    count = sum(1 for one in found if one.kind == LOOPBACK)
    if count:
        yield counted(
            "{count} TCP conversation stayed within one machine (loopback), as its MSS shows.",
            "{count} TCP conversations stayed within one machine (loopback), as their MSS shows.",
            count,
        )


def _named(one: Artefact) -> Listing:
    """The first of its packets."""
    named: tuple[Plain, ...] = tuple(map(Plain, one.frames[:MAX_NAMED]))
    if one.count > len(named):
        return Listing((*named, said("and others")))
    return Listing(named)


def _larger(one: Artefact, sender: Value) -> Sentence:
    return counted(
        "{count} segment of {sender} is longer than {room} (MSS {mss} − options), the longest {largest}: it was "
        "captured before the network card cut it (offloading). Packets: {frames}.",
        "{count} segments of {sender} are longer than {room} (MSS {mss} − options), the longest {largest}: they were "
        "captured before the network card cut them (offloading). Packets: {frames}.",
        one.count,
        sender=sender,
        room=octets(one.numbers["room"]),
        mss=Plain(one.numbers["mss"]),
        largest=octets(one.numbers["largest"]),
        frames=_named(one),
    )


def _too_long(one: Artefact) -> Sentence:
    mss, room = one.numbers["mss"], one.numbers["room"]
    return said(
        "That is more than one packet takes, {room} = MSS {mss} − {options} of options: it was captured before the "
        "network card cut it (offloading).",
        room=octets(room),
        mss=Plain(mss),
        options=Plain(mss - room),
    )


def _longest(one: Artefact) -> Sentence:
    return said(
        "That MSS is loopback's, which no network has: {packet}, the longest packet, − {headers} of headers = {mss}.",
        packet=one.numbers["packet"],
        headers=one.numbers["headers"],
        mss=one.numbers["mss"],
    )


def _sends(one: Artefact, sender: Value) -> Sentence:
    if one.numbers.get("nagle"):
        return counted(
            "One segment (packet {frames}) carries what the program sent in {count} piece: its kernel kept it for "
            "{held} until what was sent before had been acknowledged (Nagle's algorithm).",
            "One segment (packet {frames}) carries what the program sent in {count} pieces: its kernel kept them for "
            "up to {held} until what was sent before had been acknowledged (Nagle's algorithm).",
            one.numbers["messages"],
            frames=_named(one),
            held=Duration(one.numbers["held"]),
        )
    return counted(
        "One segment (packet {frames}) carries what the program sent in {count} piece.",
        "One segment (packet {frames}) carries what the program sent in {count} pieces.",
        one.numbers["messages"],
        frames=_named(one),
    )


def _together(one: Artefact) -> Sentence:
    if one.numbers.get("nagle"):
        return counted(
            "The program sent this in {count} piece: its kernel kept it back until, {waited} ago, what was sent before "
            "had been acknowledged (Nagle's algorithm).",
            "The program sent this in {count} pieces: its kernel kept them back until, {waited} ago, what was sent "
            "before had been acknowledged (Nagle's algorithm).",
            one.numbers["messages"],
            waited=Duration(one.numbers["waited"]),
        )
    return counted(
        "The program sent this in {count} piece, which travel as one segment.",
        "The program sent this in {count} pieces, which travel as one segment.",
        one.numbers["messages"],
    )


def _read(one: Artefact, sender: Value) -> Sentence:
    return counted(
        "One answer (packet {frames}) is to {count} segment: the program read them together, {waited} after the first "
        "had begun to come.",
        "One answer (packet {frames}) is to {count} segments: the program read them together, {waited} after the first "
        "had begun to come.",
        one.numbers["segments"],
        frames=_named(one),
        waited=Duration(one.numbers["waited"]),
    )


def _missing(one: Artefact, sender: Value) -> Sentence:
    return counted(
        "{count} packet ({frames}) acknowledges what {sender} sent and the capture has not got: it did not catch "
        "everything.",
        "{count} packets ({frames}) acknowledge what {sender} sent and the capture has not got: it did not catch "
        "everything.",
        one.count,
        sender=sender,
        frames=_named(one),
    )


def _one_sided(one: Artefact, sender: Value) -> Sentence:
    return said("Of what {by} sent nothing was captured: the capture saw one direction only.", by=sender)


def _twice(one: Artefact, sender: Value) -> Sentence:
    return counted(
        "{count} packet stands in the file twice: it was captured going out and coming in. Packets: {frames}.",
        "{count} packets stand in the file twice: they were captured going out and coming in. Packets: {frames}.",
        one.count,
        frames=_named(one),
    )


def _again(one: Artefact) -> Sentence:
    return said("It was captured a second time, coming in; going out it was captured a moment before.")


ARTEFACTS: dict[str, Callable[[Artefact, Value], Sentence]] = {
    "larger_than_mss": _larger,
    "sends_together": _sends,
    "read_together": _read,
    "missing_frames": _missing,
    "one_sided": _one_sided,
    "captured_twice": _twice,
}
#: Of missing frames the analysis flag speaks, of an answer to several segments the program's own paragraph.
_NOTES: dict[str, Callable[[Artefact], Sentence]] = {
    "larger_than_mss": _too_long,
    LOOPBACK: _longest,
    "sends_together": _together,
    "captured_twice": _again,
}
