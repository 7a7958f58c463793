"""Making the system calls that a core asks for."""

from typing import Any, TypeVar

from twisted.internet.task import deferLater

from netlab.upper.calls import (
    AcknowledgeLate,
    Await,
    Call,
    Calls,
    EndSending,
    Receive,
    ResetAtClose,
    Send,
    Wait,
    Witness,
)
from netlab.upper.ending import Ending, How
from netlab.upper.plain_socket import PlainSocket

R = TypeVar("R")

#: The errors of a connection that the peer has reset: RFC 9293 §3.5.3; EPIPE where it had ended its stream before.
_RESETS = (ConnectionResetError, BrokenPipeError)


async def perform(calls: Calls[R], plain: PlainSocket, witness: Witness, clock: Any) -> R | None:
    """Make all ``calls``, one after another, and give what they return.

    `None` if the calls were closed from outside, after which the one under way is the last. An `OSError` ends them.
    """
    data = None
    while True:
        try:
            call = calls.send(data)  # type: ignore[arg-type] # the first value sent into a generator is None
        except StopIteration as stopped:
            result: R | None = stopped.value
            return result
        witness.begins(call)
        data = await _perform(call, plain, clock)
        witness.made(call, data)


async def _perform(call: Call, plain: PlainSocket, clock: Any) -> bytes:
    match call:
        case Wait():
            await deferLater(clock, call.seconds)
        case Receive():
            return await plain.receive(call.size)
        case Send():
            await plain.send(call)
        case Await():
            await plain.readable("nothing came that could be left unread")
        case EndSending():
            plain.end_sending()
        case ResetAtClose():
            plain.reset_at_close()
        case AcknowledgeLate():
            plain.acknowledge_late()
    return b""


def close(plain: PlainSocket, how: How, reason: str = "") -> Ending:
    """Close the socket; how the connection ended, and for what ``reason``."""
    return Ending(how, plain.received, plain.sent, plain.close(), reason)


def close_broken(plain: PlainSocket, error: OSError) -> Ending:
    """Close the socket of a connection that an error has ended; how it ended."""
    plain.close()
    if isinstance(error, _RESETS):
        return Ending(How.RESET, plain.received, plain.sent)
    return Ending(How.LOST, plain.received, plain.sent, reason=error.strerror or str(error))
