"""Who: how a sentence names an endpoint."""

from collections.abc import Mapping
from typing import NamedTuple

from netlab.trace.facts import Endpoint
from netlab.trace.words.sentence import Sentence, Value, said

#: Port, or whole endpoint: the name that somebody gave to what listens there.
Roles = Mapping[int | Endpoint, str]


class Who(NamedTuple):
    """An endpoint at the beginning of a sentence, and inside it: languages write these differently."""

    first: Value
    inside: Value


def role_of(endpoint: Endpoint, roles: Roles) -> str | None:
    """The name that was given to ``endpoint``, or to its port."""
    return roles.get(endpoint) or (roles.get(endpoint.port) if endpoint.port is not None else None)


def who(endpoint: Endpoint, roles: Roles, is_client: bool | None) -> Who:
    """``endpoint`` by its role, by what it does if that is known, or by its address."""
    role = role_of(endpoint, roles)
    if role is not None:
        quoted = said("“{role}”", role=role)
        return Who(quoted, quoted)
    if is_client is None:
        return Who(endpoint, endpoint)
    if is_client:
        return Who(said("The client"), said("the client"))
    return Who(said("The server"), said("the server"))


def introduced(endpoint: Endpoint, roles: Roles) -> Value:
    """An endpoint by its address, and its role if it has one."""
    role = role_of(endpoint, roles)
    return endpoint if role is None else _with_role(role, endpoint)


def _with_role(role: str, endpoint: Endpoint) -> Sentence:
    return said("{endpoint} (“{role}”)", role=role, endpoint=endpoint)
