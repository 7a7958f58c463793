"""What is known of a conversation when its last packet has passed: its state made into facts."""

from netlab.trace.ending import ending_of
from netlab.trace.facts import Conversation, Direction, Endpoint
from netlab.trace.flow import Flow, Side


def conversation_of(flow: Flow) -> Conversation:
    """The facts of a conversation as far as its packets have passed."""
    syn, syn_ack, ack = flow.handshake
    endpoints = tuple(Endpoint(*pair) for pair in zip(flow.addresses, flow.ports, strict=True))
    return Conversation(
        number=flow.number,
        endpoints=(endpoints[0], endpoints[1]),
        client=flow.client,
        first=flow.first,
        last=flow.last,
        began=flow.began,
        ended=flow.last_time,
        completeness=flow.completeness,
        handshake=(syn, syn_ack, ack),
        initial_rtt=flow.first_rtt or None,
        directions=(_direction(flow.sides[0]), _direction(flow.sides[1])),
        closing=ending_of(flow),
    )


def _direction(side: Side) -> Direction:
    coverage = side.coverage
    count = side.rtt_count
    return Direction(
        packets=side.packets,
        wire_bytes=side.wire,
        bytes=side.octets,
        unique_bytes=coverage.seen() if coverage else 0,
        missing_bytes=coverage.missing() if coverage else 0,
        gaps=coverage.gaps() if coverage else (),
        initial_sequence=side.initial,
        options=side.options,
        scale=side.scale if side.scale >= 0 else None,
        window_least=side.window_least,
        window_most=side.window_most,
        rtt_count=count,
        rtt_least=side.rtt_least if count else None,
        rtt_mean=side.rtt_sum // count if count else None,
        rtt_most=side.rtt_most if count else None,
        largest_segment=side.largest,
        flags=dict(side.flag_counts),
    )
