"""The data of echo requests: what makes a reply ours.

A payload is asked for by the number of a request, counted from 0 and never wrapped, and a reply is to bring it back
whole. Ours begins with 8 bytes that only this session knows and the number in 8 bytes, so that neither another
program's reply, nor one that was guessed, nor one from 65,536 requests ago is taken for ours.
"""

from abc import ABC, abstractmethod

#: Bytes of the secret, and of the number.
SECRET_SIZE = 8
NUMBER_SIZE = 8

#: What the lab's old program sends (protocols.md §4).
LAB_DATA = b"This is the ping.\n\0"

#: What IPv4 can carry: 65,535 bytes less the headers of IP and ICMP.
MAX_SIZE = 65_535 - 20 - 8


class Payload(ABC):
    """The data of each request of one session."""

    #: Bytes that tell our requests from others'; they come first.
    token_size = 0

    @abstractmethod
    def of(self, number: int) -> bytes:
        """The data of request ``number``."""


class TokenPayload(Payload):
    """A secret, the number, and filling; as much of that as ``size`` bytes hold.

    :param secret: 8 bytes that nobody can guess.
    """

    def __init__(self, secret: bytes, size: int) -> None:
        self._secret = secret
        self._size = size
        filling = bytes(range(256)) * (size // 256 + 1)
        self._filling = filling[: max(0, size - SECRET_SIZE - NUMBER_SIZE)]
        self.token_size = min(size, SECRET_SIZE + NUMBER_SIZE)

    def of(self, number: int) -> bytes:
        """See `Payload`."""
        return (self._secret + number.to_bytes(NUMBER_SIZE, "big") + self._filling)[: self._size]


class LabPayload(Payload):
    """What the lab's old program sends: the same each time, so that only the sequence number tells requests apart."""

    token_size = len(LAB_DATA)

    def of(self, number: int) -> bytes:
        """See `Payload`."""
        return LAB_DATA
