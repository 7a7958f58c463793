"""The words around what is told: headings, labels, and what is left out."""

from netlab.trace.words.sentence import Plain, Sentence, Value, counted, said

SUMMARY = said("Summary")
CONVERSATIONS = said("Conversations")
LADDER = said("Ladder")
PACKETS = said("Packets")

NUMBER = said("No.")
TIME = said("Time")
SOURCE = said("From")
DESTINATION = said("To")
WHAT = said("What")
BYTES = said("Bytes")
EXPLANATION = said("Explanation")
SKIP = said("Skip the ladder")
OPEN_ALL = said("Unfold all packets")
CLOSE_ALL = said("Fold all packets")
HOW_TO = said("Choose an arrow to come to its packet. Time runs downwards; a pause shows as a broken line.")

#: The columns of the quick summary.
TABLE = (
    said("TCP"),
    said("A"),
    said("B"),
    said("A→B"),
    said("B→A"),
    said("bytes A→B"),
    said("bytes B→A"),
    said("start s"),
    said("lasted s"),
    said("flags"),
)


def capture_of(name: str) -> Sentence:
    """The title of a report."""
    return said("The capture {name}", name=name)


def ladder_of(name: str) -> Sentence:
    """The title of a ladder."""
    return said("Ladder diagram of the capture {name}", name=name)


def ladder_text(packets: int, programs: int) -> Sentence:
    """What a ladder shows, for who cannot see it."""
    return said(
        "{packets} between {programs}, from top to bottom in the order of the capture.",
        packets=counted("{count} packet", "{count} packets", packets),
        programs=counted("{count} endpoint", "{count} endpoints", programs),
    )


def messages_left_out(most: int) -> Sentence:
    """That nothing was said at the packets about programs' messages; with them ``most`` packets are told, or none."""
    if not most:
        return said("What the packets carried of the programs' messages is told here, with the conversations.")
    return said(
        "Of more than {most} packets it is told here, with the conversations, what they carried of the programs' "
        "messages; choose fewer with --filter or --conversation to have it told at the packets.",
        most=most,
    )


def more_packets(count: int) -> Sentence:
    """What is not in a ladder."""
    return counted(
        "{count} more packet is not in the ladder; choose some with --filter or --conversation.",
        "{count} more packets are not in the ladder; choose some with --filter or --conversation.",
        count,
    )


def more_rows(count: int) -> Sentence:
    """What is not in a table."""
    return counted(
        "{count} more packet is not in the table; choose some with --filter or --conversation.",
        "{count} more packets are not in the table; choose some with --filter or --conversation.",
        count,
    )


def packet_label(number: int, what: Value) -> Sentence:
    """A packet for a reader of the screen."""
    return said("Packet {number}: {what}", number=Plain(number), what=what)


def more_bytes(size: Sentence) -> Sentence:
    """What is not in a hex dump."""
    return said("… and {size} more", size=size)
