"""What can keep a client of the laboratory from playing its part to the end."""

from netlab.common.errors import ConnectionFault


class Stalled(ConnectionFault):
    """The server has kept the client waiting for too long."""
