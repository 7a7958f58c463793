"""What goes wrong with packets that come, and with sockets to send them from."""

from netlab.common.errors import LocalError, RemoteError


class PacketFault(RemoteError):
    """A packet is no ICMP message."""


class Truncated(PacketFault):
    """A packet ends before its headers, or before the length that they tell."""


class Damaged(PacketFault):
    """A packet does not have the checksum that it should have."""


class NoSocket(LocalError):
    """No socket for ICMP can be had; the text says what to do about it."""


class UnknownTarget(LocalError):
    """A target has no address, or cannot be pinged beside the others."""
