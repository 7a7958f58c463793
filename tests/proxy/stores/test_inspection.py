"""Whose file it is, by its first bytes."""

from struct import pack_into

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.proxy.stores.inspection import APPLICATION, HEADER, VERSION, objection


def header(application: int = APPLICATION, version: int = VERSION, page_size: int = 4_096, pages: int = 3) -> bytes:
    """The first bytes of a SQLite file."""
    start = bytearray(HEADER)
    start[:16] = b"SQLite format 3\0"
    pack_into("!H", start, 16, page_size)
    pack_into("!L", start, 28, pages)
    pack_into("!L", start, 60, version)
    pack_into("!L", start, 68, application)
    return bytes(start)


class InspectionTests(SynchronousTestCase):
    """`objection`."""

    def test_ours(self) -> None:
        """Ours is as long as it says, or longer, or has a log that may hold the rest."""
        for length in (3 * 4_096, 3 * 4_096 + 1, None):
            self.assertIsNone(objection(header(), length))
        self.assertIsNone(objection(header(page_size=1, pages=2), 131_072))

    def test_not_ours(self) -> None:
        """Each objection has its own words, which end a sentence that begins with the file's name."""
        for start, length, reason in (
            (b"", 0, "is no SQLite file"),
            (b"SQLite format 3\0", 16, "is damaged: it ends within its header"),
            (header(application=1), 12_288, "is a SQLite file of another program"),
            (header(version=9), 12_288, "was made by a newer netlab: its schema is version 9, and this one knows 1"),
            (header(version=0), 12_288, "is damaged: its schema has version 0"),
            (header(), 12_287, "is damaged: it ends after 12,287 of 12,288 bytes"),
            (header(page_size=1), 65_536, "is damaged: it ends after 65,536 of 196,608 bytes"),
        ):
            self.assertEqual(objection(start, length), reason)

    @given(st.binary(max_size=200), st.none() | st.integers(0, 2**40))
    def test_junk(self, junk: bytes, length: int | None) -> None:
        """Anything else is somebody else's."""
        self.assertIsNotNone(objection(junk, length))
