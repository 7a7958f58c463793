"""The message by which Linux is asked for a cable: two veth devices, each in a network (rtnetlink(7), veth(4))."""

from struct import Struct

#: NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL
NEW_LINK_FLAGS = 0x1 | 0x4 | 0x400 | 0x200
_NEW_LINK, _ERROR = 16, 2
_IFLA_NAME, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 3, 18, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1

_HEADER = Struct("=IHHII")
_INTERFACE = Struct("=BxHiII")
_ATTRIBUTE = Struct("=HH")
_NUMBER = Struct("=i")


def cable_request(near: str, far: str, far_network: int, flags: int = NEW_LINK_FLAGS) -> bytes:
    """RTM_NEWLINK for a device ``near`` here and its peer ``far`` in the network of the descriptor ``far_network``."""
    peer = _attribute(_IFLA_NAME, far.encode() + b"\0") + _attribute(_IFLA_NET_NS_FD, _NUMBER.pack(far_network))
    data = _attribute(_VETH_PEER, _INTERFACE.pack(0, 0, 0, 0, 0) + peer)
    info = _attribute(_INFO_KIND, b"veth") + _attribute(_INFO_DATA, data)
    body = _INTERFACE.pack(0, 0, 0, 0, 0) + _attribute(_IFLA_NAME, near.encode() + b"\0")
    body += _attribute(_IFLA_LINKINFO, info)
    return _HEADER.pack(_HEADER.size + len(body), _NEW_LINK, flags, 1, 0) + body


def error_of(answer: bytes) -> int:
    """The error number in the kernel's acknowledgment; 0 for none.

    :raises OSError: it is no acknowledgment.
    """
    if len(answer) < _HEADER.size + _NUMBER.size or _HEADER.unpack_from(answer)[1] != _ERROR:
        raise OSError("the kernel gave no acknowledgment")
    (number,) = _NUMBER.unpack_from(answer, _HEADER.size)
    return -int(number)


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)
