"""Whether a file is one of ours, by its first bytes (https://www.sqlite.org/fileformat.html#the_database_header)."""

from struct import Struct

#: ``PRAGMA application_id`` of our files: "nlPX". And ``PRAGMA user_version``: the version of the schema.
APPLICATION = 0x6E6C5058
VERSION = 1

#: How many bytes `objection` looks at.
HEADER = 100

_MAGIC = b"SQLite format 3\0"
_PAGE_SIZE = Struct("!16xH")
_PAGES = Struct("!28xL")
_USER_VERSION = Struct("!60xL")
_APPLICATION_ID = Struct("!68xL")


def objection(start: bytes, length: int | None) -> str | None:
    """Why a file that begins with ``start`` is not to be touched, as the end of a sentence; `None` if it is ours.

    ``length`` is the whole file's, in bytes; `None` when a write-ahead log may hold the rest.
    """
    if not start.startswith(_MAGIC):
        return "is no SQLite file"
    if len(start) < HEADER:
        return "is damaged: it ends within its header"
    if _APPLICATION_ID.unpack_from(start)[0] != APPLICATION:
        return "is a SQLite file of another program"
    version: int = _USER_VERSION.unpack_from(start)[0]
    if version > VERSION:
        return f"was made by a newer netlab: its schema is version {version}, and this one knows {VERSION}"
    if version != VERSION:
        return f"is damaged: its schema has version {version}"
    expected = _expected_length(start)
    if length is not None and length < expected:
        return f"is damaged: it ends after {length:,} of {expected:,} bytes"
    return None


def _expected_length(start: bytes) -> int:
    """What the header says; a page size of 1 stands for 65,536."""
    page_size: int = _PAGE_SIZE.unpack_from(start)[0]
    pages: int = _PAGES.unpack_from(start)[0]
    return pages * (65_536 if page_size == 1 else page_size)
