"""Whether a file is one of ours, by its first bytes (https://www.sqlite.org/fileformat.html#the_database_header)."""

from struct import Struct

#: ``PRAGMA application_id`` of our files: "nlPX". And ``PRAGMA user_version``: the version of the schema.
APPLICATION = 0x6E6C5058
VERSION = 1

#: How many bytes `objection` looks at.
HEADER = 100

_MAGIC = b"SQLite format 3\0"
_USER_VERSION = Struct("!60xL")
_APPLICATION_ID = Struct("!68xL")


def objection(start: bytes) -> str | None:
    """Why a file that begins with ``start`` is not to be touched, as the end of a sentence; `None` if it is ours."""
    if not start.startswith(_MAGIC):
        return "is no SQLite file"
    if len(start) < HEADER:
        return "is damaged: it ends within its header"
    if _APPLICATION_ID.unpack_from(start)[0] != APPLICATION:
        return "is a SQLite file of another program"
    version: int = _USER_VERSION.unpack_from(start)[0]
    if version > VERSION:
        return f"was made by a newer netlab: its schema is version {version}, and this one knows {VERSION}"
    return None if version == VERSION else f"is damaged: its schema has version {version}"
