"""A whole capture in words: what is in it, what is wrong with it, and how its connections ended."""

from collections import Counter
from collections.abc import Iterator, Mapping

from attrs import define, field

from netlab.trace.facts import Conversation, Damage, Packet, Segment
from netlab.trace.records import CaptureFile
from netlab.trace.words.closings import SHORT
from netlab.trace.words.damage import problem
from netlab.trace.words.flags import flag_counts
from netlab.trace.words.sentence import Duration, Listing, Notation, Sentence, counted, octets, packets, said


@define
class Totals:
    """What the packets that are told add up to. Times are nanoseconds since 1970, `None` before the first packet.

    ``passed`` are those that nobody chose.
    """

    packets: int = 0
    passed: int = 0
    bytes: int = 0
    began: int | None = None
    ended: int = 0
    protocols: Counter[str] = field(factory=Counter)
    flags: Counter[str] = field(factory=Counter)
    flaws: Counter[str] = field(factory=Counter)

    def count(self, packet: Packet) -> None:
        """Add ``packet``."""
        self.packets += 1
        self.bytes += packet.length
        self.began = packet.time if self.began is None else min(self.began, packet.time)
        self.ended = max(self.ended, packet.time)
        self.protocols[packet.protocol] += 1
        for flaw in packet.flaws:
            self.flaws[flaw.kind] += 1
        if isinstance(packet.transport, Segment):
            for flag in packet.transport.flags:
                self.flags[flag.kind] += 1


def summary(
    totals: Totals, conversations: tuple[Conversation, ...], file: CaptureFile, damage: Damage | None, passed_over: int
) -> tuple[Sentence, ...]:
    """The summary of a capture, or of the part of it that was chosen."""
    return (
        *_counts(totals),
        *_endings(conversations),
        *_flags(totals.flags),
        *_file(file),
        *_missing(totals.flaws, file, damage, passed_over),
    )


def _counts(totals: Totals) -> Iterator[Sentence]:
    if totals.began is None and totals.passed:
        yield counted(
            "Of the file's {count} packet none was chosen.",
            "Of the file's {count} packets none was chosen.",
            totals.passed,
        )
        return
    if totals.began is None:
        yield said("There is no packet.")
        return
    yield said(
        "{packets}, {size} in {time}.",
        packets=packets(totals.packets),
        size=octets(totals.bytes),
        time=Duration(totals.ended - totals.began),
    )
    protocols = [said("{name} × {count}", name=Notation(name), count=n) for name, n in totals.protocols.most_common()]
    yield said("Protocols: {protocols}.", protocols=Listing(tuple(protocols)))


def _endings(conversations: tuple[Conversation, ...]) -> Iterator[Sentence]:
    if not conversations:
        return
    ends = Counter(one.closing.cause for one in conversations)
    listed = [said("{count} {ending}", count=count, ending=SHORT[cause]) for cause, count in ends.most_common()]
    yield counted(
        "{count} TCP conversation: {endings}.",
        "{count} TCP conversations: {endings}.",
        len(conversations),
        endings=Listing(tuple(listed)),
    )


def _flags(flags: Mapping[str, int]) -> Iterator[Sentence]:
    if flags:
        yield said("Analysis flags: {flags}.", flags=Listing(tuple(flag_counts(flags))))


def _file(file: CaptureFile) -> Iterator[Sentence]:
    if file.application:
        yield said("The file was written by {application}.", application=file.application)
    names = [one.name for one in file.interfaces if one.name]
    if names:
        yield counted("Captured on {names}.", "Captured on {names}.", len(names), names=Listing(tuple(names)))
    for interface in file.interfaces:
        if interface.filter:
            yield said("Only what the filter “{filter}” let through was captured.", filter=interface.filter)
    for comment in file.comments:
        yield said("A comment in the file says: “{comment}”", comment=comment)


def _missing(
    flaws: Mapping[str, int], file: CaptureFile, damage: Damage | None, passed_over: int
) -> Iterator[Sentence]:
    if file.dropped:
        yield counted(
            "The capturing program lost {count} packet, which is not in the file.",
            "The capturing program lost {count} packets, which are not in the file.",
            file.dropped,
        )
    if flaws.get("cut"):
        yield counted(
            "{count} packet was not captured whole.", "{count} packets were not captured whole.", flaws["cut"]
        )
    if passed_over:
        yield counted(
            "{count} TCP packet is of conversations beyond the limit, and not followed.",
            "{count} TCP packets are of conversations beyond the limit, and not followed.",
            passed_over,
        )
    if damage is not None:
        yield said(
            "The file is damaged at byte {offset}: {problem}. Everything before that has been used.",
            offset=damage.offset,
            problem=problem(damage.problem),
        )
