"""Why a connection ended, in words (`netlab.trace.closing`)."""

from collections.abc import Callable, Iterator, Mapping

from netlab.trace import closing as causes
from netlab.trace.closing import Closing, Evidence, Remark
from netlab.trace.words.people import Who
from netlab.trace.words.sentence import Duration, Listing, Plain, Sentence, counted, octets, said

Pair = tuple[Who, Who]
Numbers = Mapping[str, int]


def ending(closing: Closing, pair: Pair) -> Iterator[Sentence]:
    """The cause, how sure that is, what shows it, and what else is worth knowing; ``pair`` are both endpoints."""
    by = pair[closing.by or 0]
    other = pair[1 - (closing.by or 0)]
    yield CAUSES[closing.cause](by, other, closing.numbers)
    if closing.evidence:
        shown = Listing(tuple(_shown(one) for one in closing.evidence))
        yield CONFIDENCE[closing.confidence](shown)
    for remark in closing.remarks:
        yield REMARKS[remark.kind](pair, remark)


def _shown(one: Evidence) -> Sentence:
    return said("packet {frame} ({what})", frame=Plain(one.frame), what=EVIDENCE[one.what])


def _polite(by: Who, other: Who, of: Numbers) -> Sentence:
    return said(
        "{by} closed first, and {other} did so {between} later: both sent FIN, as is polite.",
        by=by.first,
        other=other.inside,
        between=Duration(of["between"]),
    )


def _refused(by: Who, other: Who, of: Numbers) -> Sentence:
    return counted(
        "{by} refused the connection: it answered the SYN with RST, {after} later. As a rule no program listens there.",
        "{by} refused the connection: it answered the last of {count} SYNs with RST, {after} later. As a rule no "
        "program listens there.",
        of["attempts"],
        by=by.first,
        after=Duration(of["after"]),
    )


def _unanswered(by: Who, other: Who, of: Numbers) -> Sentence:
    return counted(
        "Nobody answered: {count} SYN was sent, and nothing came back.",
        "Nobody answered: {count} SYNs were sent within {waited}, and nothing came back.",
        of["attempts"],
        waited=Duration(of["waited"]),
    )


def _unfinished(by: Who, other: Who, of: Numbers) -> Sentence:
    return said("The handshake was begun, and never finished.")


def _after_close(by: Who, other: Who, of: Numbers) -> Sentence:
    return counted(
        "{by} had closed when {count} byte more came from {other}; {after} after its FIN it answered with RST.",
        "{by} had closed when {count} bytes more came from {other}; {after} after its FIN it answered with RST.",
        of["bytes"],
        by=by.first,
        other=other.inside,
        after=Duration(of["after"]),
    )


def _unread(by: Who, other: Who, of: Numbers) -> Sentence:
    return counted(
        "{by} closed without having read everything: of the data of {other}, {count} byte had come since it last sent "
        "something, and a kernel that throws away unread bytes says so with RST.",
        "{by} closed without having read everything: of the data of {other}, {count} bytes had come since it last sent "
        "something, and a kernel that throws away unread bytes says so with RST.",
        of["unanswered"],
        by=by.first,
        other=other.inside,
    )


def _abort(by: Who, other: Who, of: Numbers) -> Sentence:
    return said(
        "{by} gave the connection up {waited} after the last data: it sent RST and no FIN.",
        by=by.first,
        waited=Duration(of["waited"]),
    )


def _timeout(by: Who, other: Who, of: Numbers) -> Sentence:
    return counted(
        "{by} waited {count} second for {other} ({waited}) and then ended the connection: a time-out of its program.",
        "{by} waited {count} seconds for {other} ({waited}) and then ended the connection: a time-out of its program.",
        of["seconds"],
        by=by.first,
        other=other.inside,
        waited=Duration(of["waited"]),
    )


def _half_open(by: Who, other: Who, of: Numbers) -> Sentence:
    if "retries" in of:
        return counted(
            "{by} fell silent: {other} sent again {count} time, and for {silence} nothing came back.",
            "{by} fell silent: {other} sent again {count} times, and for {silence} nothing came back.",
            of["retries"],
            by=by.first,
            other=other.inside,
            silence=Duration(of["silence"]),
        )
    return said(
        "{by} did not know the connection any more, and answered with RST after {silence} of silence; for {other} it "
        "was still open.",
        by=by.first,
        other=other.inside,
        silence=Duration(of["silence"]),
    )


def _half_closed(by: Who, other: Who, of: Numbers) -> Sentence:
    return said(
        "{by} closed; {other} did not within the {after} that the capture goes on.",
        by=by.first,
        other=other.inside,
        after=Duration(of["after"]),
    )


def _open(by: Who, other: Who, of: Numbers) -> Sentence:
    return said("Nobody had closed it when the capture ended.")


CAUSES: dict[str, Callable[[Who, Who, Numbers], Sentence]] = {
    causes.POLITE: _polite,
    causes.REFUSED: _refused,
    causes.UNANSWERED: _unanswered,
    causes.UNFINISHED_HANDSHAKE: _unfinished,
    causes.RESET_AFTER_CLOSE: _after_close,
    causes.RESET_UNREAD: _unread,
    causes.ABORT: _abort,
    causes.TIMEOUT: _timeout,
    causes.HALF_OPEN: _half_open,
    causes.HALF_CLOSED: _half_closed,
    causes.OPEN: _open,
}

CONFIDENCE: dict[str, Callable[[Listing], Sentence]] = {
    causes.CERTAIN: lambda shown: said("That is certain; it is shown by {evidence}.", evidence=shown),
    causes.LIKELY: lambda shown: said("That is likely; it is shown by {evidence}.", evidence=shown),
    causes.POSSIBLE: lambda shown: said("That is possible, not more; it is shown by {evidence}.", evidence=shown),
}

EVIDENCE: dict[str, Sentence] = {
    "fin": said("FIN"),
    "fin_ack": said("the ACK to the FIN"),
    "syn": said("SYN"),
    "syn_ack": said("SYN and ACK"),
    "rst": said("RST"),
    "data_after_close": said("data after the FIN"),
    "last_data": said("the last data"),
    "retry": said("sent again"),
    "icmp_error": said("an ICMP error about it"),
}

#: A cause in a word or two, for tables and headings.
SHORT: dict[str, Sentence] = {
    causes.POLITE: said("closed politely"),
    causes.REFUSED: said("refused"),
    causes.UNANSWERED: said("never answered"),
    causes.UNFINISHED_HANDSHAKE: said("handshake not finished"),
    causes.RESET_AFTER_CLOSE: said("reset, data came after the close"),
    causes.RESET_UNREAD: said("reset, data was left unread"),
    causes.ABORT: said("given up with RST"),
    causes.TIMEOUT: said("ended by a time-out"),
    causes.HALF_OPEN: said("half-open"),
    causes.HALF_CLOSED: said("closed by one side only"),
    causes.OPEN: said("still open"),
}


def _retries(pair: Pair, remark: Remark) -> Sentence:
    return counted(
        "The SYN was repeated {count} time within {waited}: the kernel did that, and not the program.",
        "The SYN was repeated {count} times within {waited}: the kernel did that, and not the program.",
        remark.numbers["count"],
        waited=Duration(remark.numbers["waited"]),
    )


def _reset_after_end(pair: Pair, remark: Remark) -> Sentence:
    return said(
        "When all was over {by} sent RST as well (packet {frame}).",
        by=pair[remark.numbers["by"]].inside,
        frame=Plain(remark.numbers["frame"]),
    )


def _simultaneous(pair: Pair, remark: Remark) -> Sentence:
    return said(
        "Both closed at once: the FINs of packets {frame} and {other} met on the way.",
        frame=Plain(remark.numbers["frame"]),
        other=Plain(remark.numbers["other_frame"]),
    )


def _like_unread(pair: Pair, remark: Remark) -> Sentence:
    return said(
        "It would look the same if its program had closed with {size} unread.",
        size=octets(remark.numbers["unanswered"]),
    )


REMARKS: dict[str, Callable[[Pair, Remark], Sentence]] = {
    "syn_retries": _retries,
    "reset_after_end": _reset_after_end,
    "simultaneous_close": _simultaneous,
    "looks_like_unread": _like_unread,
}
