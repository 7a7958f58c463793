"""What the server asks of the kernel on one connection (protocols.md §2)."""

from netlab.upper.calls import Calls, Receive, Send, Wait
from netlab.upper.ending import How
from netlab.upper.variants import Variant


def answering(variant: Variant) -> Calls[How]:
    """Wait, receive, answer in upper case, until the client has closed or has had its messages.

    Only ASCII letters change, as with the deployed servers: other bytes pass.
    """
    answered = 0
    while answered != variant.messages:
        if variant.delay:
            yield Wait(variant.delay)
        message = yield Receive(variant.receive_size)
        if not message:
            return How.CLOSED_BY_PEER
        yield Send(message.upper(), variant.repeat)
        answered += 1
    return How.CLOSED
