"""Addresses as logs show them."""

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address


def address_text(address: Any) -> str:
    """``127.0.0.1:9999``, ``[::1]:9999``, or what an address of another kind says of itself."""
    if isinstance(address, IPv6Address):
        return f"[{address.host}]:{address.port}"
    if isinstance(address, IPv4Address):
        return f"{address.host}:{address.port}"
    name = getattr(address, "name", None)
    return name.decode(errors="replace") if isinstance(name, bytes) else "unix"
