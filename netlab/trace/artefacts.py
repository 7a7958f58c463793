"""What in a conversation is the capture's doing, and neither the network's nor a program's."""

from netlab.trace.closing import Remark
from netlab.trace.flags import ACK_LOST_SEGMENT
from netlab.trace.flow import Flow

#: One side's segments are longer than the other can take: the card was to cut them, and had not yet.
OFFLOADING = "offloading"
#: The largest segment is that of the loopback interface, which has no Ethernet's limit.
LOOPBACK_MSS = "loopback_mss"
#: One side acknowledged what the capture does not have.
NOT_CAPTURED = "not_captured"
#: One direction was not captured at all.
ONE_SIDED = "one_sided"

#: The MTU of Linux' loopback, 65,536, less the headers of IPv6 and TCP; IPv4's are 20 bytes shorter.
_LOOPBACK = 65_476


def artefacts_of(flow: Flow) -> tuple[Remark, ...]:
    """The artefacts of a conversation; ``by`` is the side whose packets one is about, if it is about one side's."""
    found = []
    largest = max((side.options.mss or 0 for side in flow.sides if side.options), default=0)
    if largest >= _LOOPBACK:
        found.append(Remark(LOOPBACK_MSS, {"mss": largest}))
    for number, side in enumerate(flow.sides):
        other = flow.sides[1 - number]
        limit = other.options.mss if other.options else None
        if limit is not None and side.largest > limit:
            found.append(Remark(OFFLOADING, {"by": number, "largest": side.largest, "mss": limit}))
        unseen = other.flag_counts.get(ACK_LOST_SEGMENT, 0)
        if unseen:
            missing = side.coverage.missing() if side.coverage else 0
            found.append(Remark(NOT_CAPTURED, {"by": number, "times": unseen, "missing": missing}))
        if not side.packets and other.packets > 1 and other.last_ack != 0:
            found.append(Remark(ONE_SIDED, {"by": number}))
    return tuple(found)
