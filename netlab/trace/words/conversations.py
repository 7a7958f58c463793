"""A conversation in words: who opened it, what was agreed on, what went each way, and why it ended."""

from collections.abc import Iterator

from netlab.trace.facts import Conversation, DatagramConversation, Direction, Endpoint
from netlab.trace.words.closings import Pair, ending
from netlab.trace.words.flags import flag_counts
from netlab.trace.words.options import offered
from netlab.trace.words.people import Roles, Who, introduced, who
from netlab.trace.words.sentence import Duration, Listing, Notation, Plain, Sentence, frames, octets, packets, said

#: Gaps of a stream that are told one by one.
MAX_GAPS = 8


def title(one: Conversation | DatagramConversation, roles: Roles) -> Sentence:
    """The heading of a conversation."""
    first, second = _opener_first(one)
    if isinstance(one, Conversation):
        return said(
            "TCP conversation {number}: {first} and {second}",
            number=Plain(one.number),
            first=introduced(first, roles),
            second=introduced(second, roles),
        )
    return said(
        "UDP conversation {number}: {first} and {second}",
        number=Plain(one.number),
        first=introduced(first, roles),
        second=introduced(second, roles),
    )


def _opener_first(one: Conversation | DatagramConversation) -> tuple[Endpoint, Endpoint]:
    first, second = one.endpoints
    return (second, first) if isinstance(one, Conversation) and one.client == 1 else (first, second)


def conversation_sentences(one: Conversation, roles: Roles) -> tuple[Sentence, ...]:
    """The paragraph of a TCP conversation."""
    pair = pair_of(one, roles)
    return (
        *_opening(one, roles),
        *_handshake(one, pair),
        *(sentence for number in _order(one) for sentence in _direction(one.directions[number], pair[number])),
        *ending(one.closing, pair),
    )


def datagram_sentences(one: DatagramConversation, roles: Roles) -> tuple[Sentence, ...]:
    """The paragraph of a UDP conversation."""
    return tuple(
        said(
            "{who} sent {packets}, {size} of data in all.",
            who=introduced(end, roles),
            packets=packets(count),
            size=octets(size),
        )
        for end, count, size in zip(one.endpoints, one.packets, one.bytes, strict=True)
    )


def pair_of(one: Conversation, roles: Roles) -> Pair:
    """What its two ends are called."""
    first, second = (
        who(end, roles, None if one.client is None else number == one.client)
        for number, end in enumerate(one.endpoints)
    )
    return first, second


def _order(one: Conversation) -> tuple[int, int]:
    """The opener's direction first."""
    return (1, 0) if one.client == 1 else (0, 1)


def _opening(one: Conversation, roles: Roles) -> Iterator[Sentence]:
    lasted = Duration(one.ended - one.began)
    if one.client is None:
        yield said(
            "Its beginning was not captured; packets {first} to {last} of it were, over {lasted}.",
            first=Plain(one.first),
            last=Plain(one.last),
            lasted=lasted,
        )
        return
    yield said(
        "The client is {client}, the server {server}; it lasted {lasted}, from packet {first} to packet {last}.",
        client=introduced(one.endpoints[one.client], roles),
        server=introduced(one.endpoints[1 - one.client], roles),
        lasted=lasted,
        first=Plain(one.first),
        last=Plain(one.last),
    )


def _handshake(one: Conversation, pair: Pair) -> Iterator[Sentence]:
    seen = [frame for frame in one.handshake if frame is not None]
    if len(seen) == 3 and one.initial_rtt is not None:
        yield said("The handshake (packets {frames}) took {time}.", frames=frames(seen), time=Duration(one.initial_rtt))
    elif seen:
        yield said("Of the handshake there is only this in the capture: {frames}.", frames=_shown(one))
    yield from _offers(one, pair)


def _offers(one: Conversation, pair: Pair) -> Iterator[Sentence]:
    first, second = (one.directions[number].options for number in _order(one))
    said_first, said_second = (offered(options) if options else Listing(()) for options in (first, second))
    if said_first.items and said_first == said_second:
        yield said("Both offered {options}.", options=said_first)
        return
    for number, options in zip(_order(one), (said_first, said_second), strict=True):
        if options.items:
            yield said("{who} offered {options}.", who=pair[number].first, options=options)
    if first is not None and second is not None and (first.scale is None) != (second.scale is None):
        yield said("Only one of them offered to scale windows, so that nobody does.")


def _shown(one: Conversation) -> Listing:
    """The packets of the handshake that there are."""
    steps = []
    for frame, name in zip(one.handshake, ("SYN", "SYN, ACK", "ACK"), strict=True):
        if frame is not None:
            steps.append(said("packet {frame} ({what})", frame=Plain(frame), what=Notation(name)))
    return Listing(tuple(steps))


def _direction(one: Direction, this: Who) -> Iterator[Sentence]:
    yield said(
        "{who} sent {packets}, {size} of data in all.",
        who=this.first,
        packets=packets(one.packets),
        size=octets(one.unique_bytes),
    )
    if one.bytes != one.unique_bytes:
        yield said("With what was sent more than once it was {size}.", size=octets(one.bytes))
    if one.missing_bytes:
        places = tuple(Notation(f"{start}–{end - 1}") for start, end in one.gaps[:MAX_GAPS])
        yield said(
            "The capture has not got {size} of it: Seq {places}.",
            size=octets(one.missing_bytes),
            places=Listing(places),
        )
    yield from _round_trips(one)
    if one.window_least == 0:
        yield said("At times it had no room at all (window 0).")
    if one.flags:
        yield said("Analysis flags on its packets: {flags}.", flags=Listing(tuple(flag_counts(one.flags))))


def _round_trips(one: Direction) -> Iterator[Sentence]:
    if one.rtt_mean is None or one.rtt_least is None or one.rtt_most is None:
        return
    if one.rtt_count == 1:
        yield said("What it sent was acknowledged after {time}.", time=Duration(one.rtt_mean))
        return
    yield said(
        "What it sent was acknowledged after {mean} on average ({least} to {most}).",
        mean=Duration(one.rtt_mean),
        least=Duration(one.rtt_least),
        most=Duration(one.rtt_most),
    )
