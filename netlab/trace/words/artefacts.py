"""What only looks odd because of how it was captured, in words (docs/trace-apps.md)."""

from collections.abc import Callable

from netlab.trace.app.artefacts import Artefact
from netlab.trace.words.sentence import Duration, Listing, Plain, Sentence, Value, counted, octets, said

#: Packets of an artefact that are named.
MAX_NAMED = 8


def artefact_sentence(one: Artefact) -> Sentence:
    """What an artefact means."""
    return ARTEFACTS[one.kind](one)


def one_sided(by: Value) -> Sentence:
    """One direction is not in the capture."""
    return said("Of what {by} sent nothing was captured: the capture saw one direction only.", by=by)


def _named(one: Artefact) -> Listing:
    """The first of its packets."""
    named: tuple[Plain, ...] = tuple(map(Plain, one.frames[:MAX_NAMED]))
    if one.count > len(named):
        return Listing((*named, said("and others")))
    return Listing(named)


def _larger(one: Artefact) -> Sentence:
    return counted(
        "{count} segment is longer than {room} (MSS {mss} − options), the longest {largest}: it was captured before "
        "the network card cut it (offloading). Packets: {frames}.",
        "{count} segments are longer than {room} (MSS {mss} − options), the longest {largest}: they were captured "
        "before the network card cut them (offloading). Packets: {frames}.",
        one.count,
        room=octets(one.numbers["room"]),
        mss=Plain(one.numbers["mss"]),
        largest=octets(one.numbers["largest"]),
        frames=_named(one),
    )


def _loopback(one: Artefact) -> Sentence:
    return said(
        "The MSS of {mss} bytes is that of loopback, whose packets have up to 65,536 bytes and meet no network.",
        mss=one.numbers["mss"],
    )


def _sends(one: Artefact) -> Sentence:
    if one.numbers.get("nagle"):
        return counted(
            "One segment (packet {frames}) carries what the program sent in {count} piece: its kernel kept it for "
            "{waited} until what was sent before had been acknowledged (Nagle's algorithm).",
            "One segment (packet {frames}) carries what the program sent in {count} pieces: its kernel kept them for "
            "{waited} until what was sent before had been acknowledged (Nagle's algorithm).",
            one.numbers["messages"],
            frames=_named(one),
            waited=Duration(one.numbers["waited"]),
        )
    return counted(
        "One segment (packet {frames}) carries what the program sent in {count} piece.",
        "One segment (packet {frames}) carries what the program sent in {count} pieces.",
        one.numbers["messages"],
        frames=_named(one),
    )


def _read(one: Artefact) -> Sentence:
    return counted(
        "One answer is to {count} segment (packets {frames}): the program read them together, {waited} later.",
        "One answer is to {count} segments (packets {frames}): the program read them together, {waited} later.",
        one.numbers["segments"],
        frames=_named(one),
        waited=Duration(one.numbers["waited"]),
    )


def _missing(one: Artefact) -> Sentence:
    return counted(
        "{count} packet shows that the capture has not got everything that went over the wire ({frames}); of the "
        "stream {size} are not in it.",
        "{count} packets show that the capture has not got everything that went over the wire ({frames}); of the "
        "stream {size} are not in it.",
        one.count,
        frames=_named(one),
        size=octets(one.numbers["bytes"]),
    )


def _twice(one: Artefact) -> Sentence:
    return counted(
        "{count} packet stands in the file twice: it was captured going out and coming in. Packets: {frames}.",
        "{count} packets stand in the file twice: they were captured going out and coming in. Packets: {frames}.",
        one.count,
        frames=_named(one),
    )


ARTEFACTS: dict[str, Callable[[Artefact], Sentence]] = {
    "larger_than_mss": _larger,
    "loopback_mss": _loopback,
    "sends_together": _sends,
    "read_together": _read,
    "missing_frames": _missing,
    "captured_twice": _twice,
}
