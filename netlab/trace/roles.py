"""``--roles 9998=proxy,9999=server``: names for programs, by port or by address and port."""

from netlab.common.errors import LocalError
from netlab.common.printable import printable
from netlab.trace.facts import Endpoint
from netlab.trace.words.people import Roles

#: A longer name would not fit above a lane.
MAX_NAME, MAX_ROLES = 40, 200


class RolesError(LocalError):
    """A list of roles cannot be understood."""


def roles_of(text: str) -> Roles:
    """The roles that ``text`` gives.

    :raises RolesError: it is no such list.
    """
    roles: dict[int | Endpoint, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        place, equals, name = part.partition("=")
        if not equals or not name.strip() or len(name) > MAX_NAME:
            raise RolesError(f"{part!r} is no PORT=NAME or ADDRESS:PORT=NAME")
        roles[_place(place.strip(), part)] = printable(name.strip())
    if len(roles) > MAX_ROLES:
        raise RolesError(f"at most {MAX_ROLES} roles can be given")
    return roles


def _place(text: str, part: str) -> int | Endpoint:
    from ipaddress import ip_address

    address, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65_536):
        raise RolesError(f"{part!r} names no port from 0 to 65535")
    if not address:
        return int(port)
    try:
        return Endpoint(str(ip_address(address.strip("[]"))), int(port))
    except ValueError:
        raise RolesError(f"{part!r}: {address} is no IP address") from None
