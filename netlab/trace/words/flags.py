"""The analysis flags in words, each with its arithmetic (`netlab.trace.flags`)."""

from collections.abc import Callable, Mapping

from netlab.trace import flags as kinds
from netlab.trace.flags import Flag
from netlab.trace.words.sentence import Duration, Notation, Plain, Sentence, counted, octets, said

Numbers = Mapping[str, int]


def flag_sentence(flag: Flag) -> Sentence:
    """What a flag means, with the numbers that set it."""
    return SENTENCES[flag.kind](flag.numbers)


def _retransmission(of: Numbers) -> Sentence:
    if not of["timeout"]:
        return said(
            "Retransmission: this is Seq {sequence}, though the next new one would be {expected}; it was sent before.",
            sequence=Plain(of["sequence"]),
            expected=Plain(of["expected"]),
        )
    return said(
        "Retransmission: this is Seq {sequence}, though the next new one would be {expected}; packet {frame}, "
        "the oldest that no ACK has come for since, was sent {timeout} before.",
        sequence=Plain(of["sequence"]),
        expected=Plain(of["expected"]),
        frame=Plain(of["of_frame"]),
        timeout=Duration(of["timeout"]),
    )


def _fast(of: Numbers) -> Sentence:
    return counted(
        "Fast retransmission: {count} duplicate ACK asked for Seq {sequence}, the last only {since} ago, so nobody "
        "waited for a time-out.",
        "Fast retransmission: {count} duplicate ACKs asked for Seq {sequence}, the last only {since} ago, so nobody "
        "waited for a time-out.",
        of["duplicates"],
        sequence=Plain(of["sequence"]),
        since=Duration(of["since_ack"]),
    )


def _spurious(of: Numbers) -> Sentence:
    return said(
        "Spurious retransmission: it ends before Seq {next}, and everything before {acknowledged} had been "
        "acknowledged already.",
        next=Plain(of["next_sequence"]),
        acknowledged=Plain(of["acknowledged"]),
    )


def _out_of_order(of: Numbers) -> Sentence:
    return said(
        "Out of order: this is Seq {sequence}, though the next new one would be {expected}; that is only {since} ago, "
        "less than {threshold}, so it was overtaken on the way and not sent again.",
        sequence=Plain(of["sequence"]),
        expected=Plain(of["expected"]),
        since=Duration(of["since_highest"]),
        threshold=Duration(of["threshold"]),
    )


def _duplicate_ack(of: Numbers) -> Sentence:
    return said(
        "Duplicate ACK number {number} of packet {frame}: Ack {acknowledgment} again, with the same window and no "
        "data, so something after it is missing there.",
        number=Plain(of["number"]),
        frame=Plain(of["of_frame"]),
        acknowledgment=Plain(of["acknowledgment"]),
    )


def _lost(of: Numbers) -> Sentence:
    return counted(
        "Up to here the capture has not got {count} byte before this: Seq {sequence} − expected {expected} = {count}.",
        "Up to here the capture has not got {count} bytes before this: Seq {sequence} − expected {expected} = {count}.",
        of["missing"],
        sequence=Plain(of["sequence"]),
        expected=Plain(of["expected"]),
    )


def _ack_lost(of: Numbers) -> Sentence:
    return counted(
        "It acknowledges {count} byte that the capture has not got: Ack {acknowledgment} − seen {seen} = {count}.",
        "It acknowledges {count} bytes that the capture has not got: Ack {acknowledgment} − seen {seen} = {count}.",
        of["missing"],
        acknowledgment=Plain(of["acknowledgment"]),
        seen=Plain(of["seen"]),
    )


def _keep_alive(of: Numbers) -> Sentence:
    return said(
        "Keep-alive: Seq {sequence} = expected {expected} − 1, an old number on purpose, so that the other side must "
        "answer.",
        sequence=Plain(of["sequence"]),
        expected=Plain(of["expected"]),
    )


def _keep_alive_ack(of: Numbers) -> Sentence:
    return said(
        "It answers the keep-alive with Ack {acknowledgment}, as before: the connection lives.",
        acknowledgment=Plain(of["acknowledgment"]),
    )


def _zero_window(of: Numbers) -> Sentence:
    return said("Zero window: its buffer is full, and the other side must stop sending until a program reads.")


def _probe(of: Numbers) -> Sentence:
    return said(
        "Zero window probe: one byte, Seq {sequence}, beyond a window of 0, to be told when there is room.",
        sequence=Plain(of["sequence"]),
    )


def _probe_ack(of: Numbers) -> Sentence:
    return said(
        "It answers the probe: Ack {acknowledgment} as before, and still no room.",
        acknowledgment=Plain(of["acknowledgment"]),
    )


def _window_full(of: Numbers) -> Sentence:
    return said(
        "Window full: next Seq {next} − acknowledged {acknowledged} = {window}, all that the other side has room for.",
        next=Plain(of["next_sequence"]),
        acknowledged=Plain(of["acknowledged"]),
        window=octets(of["window"]),
    )


def _window_update(of: Numbers) -> Sentence:
    return said(
        "Window update: there is room for {window} now, it was {previous}; Ack {acknowledgment} is as before.",
        window=octets(of["window"]),
        previous=octets(of["previous"]),
        acknowledgment=Plain(of["acknowledgment"]),
    )


def _reused(of: Numbers) -> Sentence:
    return said(
        "Port numbers reused: the initial sequence number is {initial} and was {previous}, so this is a new connection "
        "and not conversation {conversation} any more.",
        initial=Plain(of["initial_sequence"]),
        previous=Plain(of["previous_initial_sequence"]),
        conversation=Plain(of["previous_conversation"]),
    )


SENTENCES: dict[str, Callable[[Numbers], Sentence]] = {
    kinds.RETRANSMISSION: _retransmission,
    kinds.FAST_RETRANSMISSION: _fast,
    kinds.SPURIOUS_RETRANSMISSION: _spurious,
    kinds.OUT_OF_ORDER: _out_of_order,
    kinds.DUPLICATE_ACK: _duplicate_ack,
    kinds.LOST_SEGMENT: _lost,
    kinds.ACK_LOST_SEGMENT: _ack_lost,
    kinds.KEEP_ALIVE: _keep_alive,
    kinds.KEEP_ALIVE_ACK: _keep_alive_ack,
    kinds.ZERO_WINDOW: _zero_window,
    kinds.ZERO_WINDOW_PROBE: _probe,
    kinds.ZERO_WINDOW_PROBE_ACK: _probe_ack,
    kinds.WINDOW_FULL: _window_full,
    kinds.WINDOW_UPDATE: _window_update,
    kinds.REUSED_PORTS: _reused,
}


def flag_counts(counts: Numbers) -> list[Sentence]:
    """How often each flag occurs, by Wireshark's names."""
    return [
        said("{name} × {count}", name=Notation(kinds.WIRESHARK_NAMES[kind]), count=count)
        for kind, count in sorted(counts.items())
    ]
