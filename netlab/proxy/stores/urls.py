"""The stores by URL, as ``--store`` takes it."""

import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from netlab.proxy.freshness import Clocks
from netlab.proxy.stores.base import Store, StoreRefused
from netlab.proxy.stores.redis import RedisStore
from netlab.proxy.stores.redis_link import RedisAddress
from netlab.proxy.stores.sqlite import SqliteStore

#: The URL of no store but the memory.
MEMORY = "memory:"

_FORMS = "memory:, sqlite:PATH or redis://HOST:PORT/DB"

#: ``redis://:PASSWORD@HOST:PORT/DB``, or a user's name before the password; IPv6 addresses stand in brackets.
_REDIS = re.compile(
    r"(?:(?P<user>[^:@/]*):(?P<password>[^@/]+)@)?"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<host>[^\[\]:@/?#\s]+))"
    r"(?::(?P<port>[0-9]{1,5}))?(?:/(?P<database>[0-9]{0,5}))?"
)


def second_tier(url: str, reactor: Any, clocks: Callable[[], Clocks]) -> Store | None:
    """The store that ``url`` names, not started yet; `None` for ``memory:``, which needs none behind it.

    :raises StoreRefused: the URL is none of a store's, or what it needs is not installed.
    """
    scheme, _, rest = url.partition(":")
    if url == MEMORY:
        return None
    if scheme == "sqlite" and rest and "\0" not in rest:
        return SqliteStore(os.path.expanduser(rest), reactor, clocks)
    if scheme == "redis" and rest.startswith("//"):
        return RedisStore(redis_address(url), reactor)
    raise StoreRefused(f"{without_password(url)!r} is no store; give {_FORMS}")


def redis_address(url: str) -> RedisAddress:
    """What ``redis://HOST:PORT/DB`` says; the port is 6379 and the database 0 where it says nothing.

    :raises StoreRefused: it is not of that form. The password is not in the error.
    """
    found = _REDIS.fullmatch(url.removeprefix("redis://"))
    port = int(found["port"] or 6379) if found else 0
    if found is None or not 0 < port < 65_536:
        raise StoreRefused("the URL of a Redis store is redis://HOST:PORT/DB, or redis://:PASSWORD@HOST:PORT/DB")
    user, password = (unquote(found[name]) if found[name] else None for name in ("user", "password"))
    return RedisAddress(found["six"] or found["host"], port, int(found["database"] or 0), password, user)


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    return re.sub(r"^(\w+:/*)?.*@", r"\1…@", url)
