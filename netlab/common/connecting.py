"""Connecting, with what can go wrong said in our words."""

from typing import NoReturn

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.error import ConnectingCancelledError, ConnectionRefusedError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint

from netlab.common.errors import ConnectFailed, ConnectRefused, NetlabError


def connect_to(
    endpoint: IStreamClientEndpoint, factory: IProtocolFactory, clock: IReactorTime, timeout: float
) -> Deferred[IProtocol]:
    """Connect within ``timeout`` seconds; the Deferred gives the factory's protocol, or fails with `ConnectFailed`."""

    def late(_result: object, _timeout: float) -> NoReturn:
        raise ConnectFailed(f"no connection came about within {timeout:g} s")

    return ensureDeferred(_connected(endpoint.connect(factory).addTimeout(timeout, clock, late)))


async def _connected(connecting: Deferred[IProtocol]) -> IProtocol:
    try:
        return await connecting
    except (CancelledError, ConnectingCancelledError, NetlabError):
        raise
    except ConnectionRefusedError:
        raise ConnectRefused("the connection was refused: nothing listens there") from None
    except Exception as error:
        raise ConnectFailed(str(error).rstrip(".") or type(error).__name__) from error
