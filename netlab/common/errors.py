"""The root of every error that netlab raises on purpose.

Two causes are told apart, as h11 does: a program that misused us, and a peer that sent what no peer may send.
"""


class NetlabError(Exception):
    """Any error of ours; its text is one sentence for a person."""


class LocalError(NetlabError):
    """The calling program asked for something that cannot be done."""


class RemoteError(NetlabError):
    """The peer sent something that breaks the protocol or a limit."""


class ConnectionFault(RemoteError):
    """There is no connection to a server, or no longer."""


class ConnectFailed(ConnectionFault):
    """No connection came about."""


class ConnectRefused(ConnectFailed):
    """Nothing listens there."""
