"""The uppercase client, for programs: play one of the laboratory's clients against a server.

`play` makes the system calls of a `netlab.upper.playing.Script`, and tells how the connection ended.
"""

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol

from netlab.common.addresses import address_text
from netlab.common.connecting import connect_to
from netlab.upper.ending import Ending, How
from netlab.upper.performing import close, close_broken, perform
from netlab.upper.plain_socket import take
from netlab.upper.playing import Script, Watcher, playing

#: Seconds to wait for a connection, and then for the server at each call; a V4 server takes five for one.
TIMEOUT = 30.0


def play(
    endpoint: IStreamClientEndpoint,
    script: Script,
    reactor: Any,
    *,
    timeout: float = TIMEOUT,
    watcher: Watcher | None = None,
) -> "Deferred[Ending]":
    """Connect, make the calls of ``script``, and close; fires when the socket is closed.

    A reset or a lost connection is an `Ending` like another. The Deferred fails with `ConnectFailed` where there was
    no connection, and with `Stalled` where the server kept us waiting for ``timeout`` seconds. Cancelling it closes the
    socket.

    :param watcher: is told of every call, as it is made.
    """
    return ensureDeferred(_play(endpoint, script, reactor, timeout, watcher or Watcher()))


async def _play(
    endpoint: IStreamClientEndpoint, script: Script, reactor: Any, patience: float, watcher: Watcher
) -> Ending:
    protocol: Any = await connect_to(endpoint, Factory.forProtocol(Protocol), reactor, patience)
    peer = address_text(protocol.transport.getPeer())
    plain = take(protocol.transport, reactor, patience)
    try:
        watcher.connected(peer)
        how = await perform(playing(script), plain, watcher, reactor)
    except OSError as error:
        return close_broken(plain, error)
    except BaseException:
        plain.close()
        raise
    return close(plain, how or How.CLOSED)
