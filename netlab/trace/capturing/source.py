"""Where packets come from: what the kernel's socket and dumpcap have in common."""

from collections.abc import Callable
from typing import Any, Protocol

from netlab.trace.capturing.errors import CannotCapture
from netlab.trace.capturing.ring import Captured

#: Called in the reactor's thread with packets, in their order.
Received = Callable[[list[Captured]], None]
#: Called in the reactor's thread when no packet will ever come again.
Lost = Callable[[CannotCapture], None]


class Source(Protocol):
    """Captures from when it is made; what comes is kept until it is given."""

    @property
    def link_type(self) -> int:
        """The interface's LINKTYPE; right once there was a packet."""
        ...

    def begin(self, reactor: Any, received: Received, lost: Lost) -> None:
        """Give packets to ``received`` from now on; call ``lost`` if there is an end that nobody asked for."""
        ...

    def resume(self) -> None:
        """Give packets again."""
        ...

    def pause(self) -> None:
        """Give none, or few that are on their way, until `resume`."""
        ...

    async def close(self) -> int:
        """Give the last and end; how many packets the kernel dropped."""
        ...

    def abandon(self) -> None:
        """End at once; may be called at any time, also after `close`."""
        ...
