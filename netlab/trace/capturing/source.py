"""Glue: where packets come from for this user: the kernel itself, or else Wireshark's dumpcap."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from netlab.trace.capturing.dumpcap import Dumpcap
from netlab.trace.capturing.errors import NoRightToCapture
from netlab.trace.capturing.packet_socket import PacketSocket
from netlab.trace.capturing.ring import Captured

if TYPE_CHECKING:
    from netlab.trace.capturing.session import Source


def source_for(
    reactor: Any, interface: str, ports: Sequence[int], icmp: bool, received: Callable[[list[Captured]], None]
) -> "Source":
    """A source that this user may have; the parameters are those of `PacketSocket`.

    :raises NoRightToCapture: there is none; the text says what dumpcap said.
    :raises CannotCapture: there is no such interface.
    """
    where = (reactor, interface, ports, icmp, received)
    try:
        return PacketSocket(*where)
    except NoRightToCapture:
        return Dumpcap(*where)
