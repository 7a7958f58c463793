"""Which protocol a conversation speaks: told by its first bytes, and by its ports only where they do not say."""

from collections.abc import Mapping

from attrs import frozen

from netlab.trace.app.application import BYTES, CALC, HTTP, PROTOCOLS, UPPER, WATCHDOG
from netlab.trace.app.calc_head import plausible
from netlab.trace.app.http_head import begins_request, begins_response
from netlab.trace.app.watchdog_head import begins_with_numbers

#: The ports of protocols.md, and those that HTTP has elsewhere.
PORTS: Mapping[int, str] = {
    9999: CALC,
    9998: CALC,
    8080: HTTP,
    8000: HTTP,
    80: HTTP,
    12345: UPPER,
    5050: UPPER,
    3000: WATCHDOG,
}
assert set(PORTS.values()) <= set(PROTOCOLS)

#: So many first bytes decide.
ENOUGH = 13


@frozen
class Recognised:
    """A protocol; ``known_by`` is ``content``, ``port`` or ``none``; ``client`` is 0 or 1. ``texts``: a watchdog's."""

    protocol: str
    known_by: str
    client: int
    texts: bool = False


def recognise(heads: tuple[bytes, bytes], final: bool) -> Recognised | None:
    """What the first bytes of the two directions tell; `None` if nothing, or nothing yet.

    ``final``: no more will come, so that few bytes must do.
    """
    for side, head in enumerate(heads):
        if len(head) < ENOUGH and not final:
            continue
        if begins_request(head) or plausible(head, True):
            return Recognised(HTTP if begins_request(head) else CALC, "content", side)
        if begins_response(head) or plausible(head, False):
            return Recognised(HTTP if begins_response(head) else CALC, "content", 1 - side)
        if begins_with_numbers(head):
            return Recognised(WATCHDOG, "content", side)
    return None


def by_port(
    ports: tuple[int, int], known: Mapping[int, str], opener: int | None, heads: tuple[bytes, bytes]
) -> Recognised:
    """What the ports tell; `BYTES` if nothing. ``opener`` is who sent the SYN, `None` if that was not seen."""
    for side in (1, 0) if opener is None else (1 - opener,):
        protocol = known.get(ports[side])
        if protocol == WATCHDOG:
            return Recognised(WATCHDOG, "port", 1 - side, not begins_with_numbers(heads[1 - side]))
        # The reader of plain bytes finds out whether it is an uppercase server; the port only says who answers. And
        # whose first bytes were seen speaks neither of the others, or they would have told.
        if protocol == UPPER or (protocol is not None and opener is not None and len(heads[opener]) >= ENOUGH):
            return Recognised(BYTES, "port", 1 - side)
        if protocol is not None:
            return Recognised(protocol, "port", 1 - side)
    return Recognised(BYTES, "none", opener or 0)
