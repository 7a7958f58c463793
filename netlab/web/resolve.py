"""From a request target to a path under the root, or a refusal: no I/O, nothing outside, nothing hidden.

Paths are bytes, because file names are. A target is decoded once, and what it says then is what is meant: ``%252e`` is
a name with a percent sign in it. Segments that only serve to leave a folder, or that a file system or a browser may
take for another way of writing one (``..``, ``.``, empty ones, slashes and backslashes within a segment, NUL), name
nothing here; clients remove dot segments before they ask (RFC 3986 §5.2.4).
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from netlab.web.errors import TargetRefused

_AUTHORITY = re.compile(rb"https?://[^/?#]+", re.IGNORECASE)
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_NO_NAME = re.compile(rb"\.|[^/]*[/\\\0]")
_INDEX = b"index.html"

#: Longer names than this no Linux file system has (NAME_MAX); nor paths, with the root before them (PATH_MAX).
_MAX_NAME = 255
_MAX_PATH = 3_000


class Place(NamedTuple):
    """Where a target leads.

    ``path`` is relative to the root and has no dot segments; ``is_folder`` says that the target ended with a slash.
    ``query`` is what followed a question mark, that included.
    """

    path: bytes
    is_folder: bool
    query: bytes

    @property
    def index_file(self) -> bytes:
        """The path of this folder's index file."""
        return self.path + b"/" + _INDEX if self.path else _INDEX


@lru_cache(512)
def resolve(target: bytes) -> Place:
    """Where ``target`` leads (origin-form or absolute-form, RFC 9112 §3.2).

    :raises TargetRefused: nowhere.
    """
    if authority := _AUTHORITY.match(target):
        target = target[authority.end() :] or b"/"
        target = b"/" + target if target.startswith(b"?") else target
    path, mark, query = target.partition(b"?")
    if not path.startswith(b"/") or b"#" in target or _BAD_ESCAPE.search(path):
        raise TargetRefused(400, "the target is malformed")
    segments = [unquote_to_bytes(segment) for segment in path[1:].split(b"/")]
    is_folder = segments[-1] == b""
    if is_folder:
        segments.pop()
    if not all(map(_is_name, segments)):
        raise TargetRefused(404, "the target names nothing that is served")
    found = b"/".join(segments)
    if len(found) > _MAX_PATH:
        raise TargetRefused(404, "no path is that long")
    return Place(found, is_folder, mark + query)


def _is_name(segment: bytes) -> bool:
    """Whether a segment can be the name of a file that is not hidden."""
    return 0 < len(segment) <= _MAX_NAME and not _NO_NAME.match(segment)


def target_of(path: bytes) -> bytes:
    """The target that leads to ``path``, without a slash at its end."""
    return b"/" + quote_from_bytes(path).encode()


def is_served(real: bytes, root: bytes) -> bool:
    """Whether a file whose real, absolute path is ``real`` belongs to the folder ``root``, and no part is hidden."""
    if real == root:
        return True
    inside = root.rstrip(b"/") + b"/"
    return real.startswith(inside) and not any(name.startswith(b".") for name in real[len(inside) :].split(b"/"))
