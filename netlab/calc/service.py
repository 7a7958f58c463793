"""What a connection of the calculator protocol needs of the daemon it belongs to."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Protocol as Shape

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from netlab.calc.calculator import Reply
from netlab.calc.errors import FramingError
from netlab.calc.limits import Limits
from netlab.calc.turns import Turns
from netlab.common.reaper import Reaper

if TYPE_CHECKING:
    from netlab.calc.connection import CalcProtocol


class Service(Shape):
    """What the connections of one daemon share."""

    limits: Limits
    turns: Turns
    #: Who has been silent, or has not read, for too long.
    idle: "Reaper[CalcProtocol]"
    #: Who has begun a packet, or a farewell, and not ended it.
    begun: "Reaper[CalcProtocol]"
    #: Unix seconds.
    wall: Callable[[], float]

    def opened(self, connection: "CalcProtocol") -> None:
        """A connection is there."""

    def reply(self, connection: "CalcProtocol", frame: bytes) -> Reply | Deferred[Reply]:
        """Answer one packet, whatever it is: now, or by a Deferred that has not fired yet and will not fail."""

    def distrust(self, connection: "CalcProtocol", fault: FramingError) -> Reply:
        """Answer a stream that can no longer be cut into packets."""

    def closed(self, connection: "CalcProtocol", reason: Failure) -> None:
        """A connection is gone."""
