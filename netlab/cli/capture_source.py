"""Where the packets of ``netlab capture`` come from, which is a matter of rights."""

from typing import TYPE_CHECKING

import click

from netlab.trace.capturing.errors import CannotCapture, NoRightToCapture

if TYPE_CHECKING:
    from netlab.trace.capturing.source import Source

_NO_RIGHT = (
    "no right to capture here: become root, or join the group that may run dumpcap (Debian: dpkg-reconfigure "
    "wireshark-common)"
)


def source_of(interface: str, ports: tuple[int, ...], icmp: bool, has_command: bool, own_network: bool) -> "Source":
    """The kernel, dumpcap, or the kernel in a network of our own, which has to come before any thread is started.

    :param own_network: wanted in any case; otherwise it is the last way, and a way only for a command.

    :raises CannotCapture: there is no way, or no such interface.
    """
    from netlab.trace.capturing.dumpcap import Dumpcap
    from netlab.trace.capturing.packet_socket import PacketSocket

    if own_network:
        _enter_own_network()
    try:
        return PacketSocket(interface, ports, icmp)
    except NoRightToCapture:
        pass
    try:
        return Dumpcap(interface, ports, icmp)
    except NoRightToCapture as error:
        if not has_command:
            hint = "with a command (-- COMMAND) netlab needs no right at all"
            raise CannotCapture(f"{_NO_RIGHT}; {hint}; dumpcap: {error}") from None
    _enter_own_network(_NO_RIGHT)
    click.echo("netlab capture: without the right to capture here, COMMAND runs in a network of its own", err=True)
    return PacketSocket(interface, ports, icmp)


def _enter_own_network(otherwise: str = "") -> None:
    from netlab.common.namespace import NoNamespace, enter_own_network

    try:
        enter_own_network()
    except NoNamespace as error:
        raise CannotCapture(f"{otherwise}; {error}" if otherwise else str(error)) from None
