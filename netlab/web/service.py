"""What the connections of one daemon share, as they see it (`netlab.web.server` makes it).

A connection is `netlab.web.connection.WebProtocol`, which cannot be named here: it is made of this.
"""

from typing import Any
from typing import Protocol as Shape

from twisted.python.failure import Failure

from netlab.common.reaper import Reaper
from netlab.common.turns import Turns
from netlab.web.access_log import Asked
from netlab.web.limits import Limits
from netlab.web.request import Heads, Request
from netlab.web.response import Repeated, Response
from netlab.web.site import Site


class Service(Shape):
    """What the connections of one daemon share."""

    limits: Limits
    #: What was read before, and what was answered in this turn.
    heads: Heads
    repeated: Repeated
    site: Site
    turns: Turns
    #: Who has been silent for too long.
    idle: Reaper[Any]
    #: Who has begun a request, or a farewell, and not ended it.
    begun: Reaper[Any]
    #: Who does not read.
    sending: Reaper[Any]

    def opened(self, connection: Any) -> None:
        """A connection is there."""

    def respond(self, connection: Any, request: Request) -> Response:
        """Answer a request, whatever it is."""

    def answered(self, connection: Any, asked: Asked) -> None:
        """An answer is on its way."""

    def turn_ends(self, connection: Any) -> None:
        """Call the connection's `send_all` before this turn of the reactor ends, or now."""

    def look_again(self) -> None:
        """What is answered from here on is answered by a new look at the files."""

    def closed(self, connection: Any, reason: Failure) -> None:
        """A connection is gone."""
