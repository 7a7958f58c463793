"""What is replied, given a request and what is known of a file (RFC 9110 §13, §14)."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.web import answer, pages
from netlab.web.conditions import failed_status, range_applies
from netlab.web.facts import Facts, Stamp, facts_of
from netlab.web.media import is_worth_packing, media_type
from netlab.web.packing import pack, wants_packed
from netlab.web.ranges import Slice, Unsatisfiable, slices_of
from netlab.web.reply import Reply, render
from netlab.web.request import Request

#: Sun, 06 Nov 1994 08:49:37 GMT
THEN = 784_111_777
DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER, LATER = b"Sun, 06 Nov 1994 08:49:36 GMT", b"Sun, 06 Nov 1994 08:49:38 GMT"
FACTS = Facts(1_000, THEN, "x", "text/plain", is_settled=True)


def status(**fields: bytes) -> int | None:
    """What the conditions come to."""
    return failed_status({name.replace("_", "-").encode(): value for name, value in fields.items()}, FACTS, "x")


def special(size: int = 1_000, method: bytes = b"GET", **fields: bytes) -> Reply:
    named = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    request = Request(method + b" / HTTP/1.1", method, b"/", 1, named, persistent=True, has_content=False)
    facts = Facts(size, THEN, "x", "text/plain", is_settled=True)
    form = answer.representation(facts)
    return answer.special(request, facts, form, varies=False, boundary="B")


class ConditionTests(SynchronousTestCase):
    """Conditions alone and together."""

    def test_one(self) -> None:
        """Each condition by itself."""
        for fields, expected in (
            ({"if_match": b'"x"'}, None),
            ({"if_match": b'"y", "x"'}, None),
            ({"if_match": b"*"}, None),
            ({"if_match": b'W/"x"'}, 412),
            ({"if_match": b'"y"'}, 412),
            ({"if_match": b""}, 412),
            ({"if_none_match": b'"x"'}, 304),
            ({"if_none_match": b'W/"x"'}, 304),
            ({"if_none_match": b"*"}, 304),
            ({"if_none_match": b'"y"'}, None),
            ({"if_modified_since": DATE}, 304),
            ({"if_modified_since": LATER}, 304),
            ({"if_modified_since": EARLIER}, None),
            ({"if_modified_since": b"yesterday"}, None),
            ({"if_modified_since": b"Sun, 06 Nov 99999 00:00:00 GMT"}, None),
            ({"if_unmodified_since": DATE}, None),
            ({"if_unmodified_since": EARLIER}, 412),
            ({"if_unmodified_since": b"0"}, None),
        ):
            self.assertEqual(status(**fields), expected, fields)

    def test_precedence(self) -> None:
        """Tags come before dates, and what must match before what must not."""
        for fields, expected in (
            ({"if_match": b'"x"', "if_unmodified_since": EARLIER}, None),
            ({"if_none_match": b'"y"', "if_modified_since": DATE}, None),
            ({"if_match": b'"y"', "if_none_match": b'"x"'}, 412),
            ({"if_match": b'"x"', "if_none_match": b'"x"'}, 304),
            ({"if_unmodified_since": EARLIER, "if_none_match": b'"x"'}, 412),
        ):
            self.assertEqual(status(**fields), expected, fields)

    def test_if_range(self) -> None:
        """Only the very same strong validator lets a range be sent."""
        unsettled = Facts(1_000, THEN, "x", "text/plain", is_settled=False)
        for value, facts, expected in (
            (b'"x"', FACTS, True),
            (b'W/"x"', FACTS, False),
            (b'"y"', FACTS, False),
            (b"x", FACTS, False),
            (b'"x', FACTS, False),
            (DATE, FACTS, True),
            (LATER, FACTS, False),
            (DATE, unsettled, False),
        ):
            self.assertEqual(range_applies({b"if-range": value}, facts, "x"), expected, value)
        self.assertTrue(range_applies({}, FACTS, "x"))

    @given(st.dictionaries(st.sampled_from(sorted(answer.SPECIAL | {b"if-range"})), st.binary(max_size=60)))
    def test_junk(self, fields: dict[bytes, bytes]) -> None:
        """Whatever these fields hold, there is an answer with one of their statuses, and of the right length."""
        request = Request(b"GET / HTTP/1.1", b"GET", b"/", 1, fields, persistent=True, has_content=False)
        reply = answer.special(request, FACTS, answer.representation(FACTS), varies=True, boundary="B")
        self.assertIn(reply.status, (200, 206, 304, 412, 416))
        self.assertEqual(reply.length, None if reply.status == 304 else reply.size)


class RangeTests(SynchronousTestCase):
    """Which parts are asked for."""

    def test_slices(self) -> None:
        """Ranges within a file of 100 bytes; an empty list means the whole."""
        for value, expected in (
            (b"bytes=0-9", [Slice(0, 10)]),
            (b"bytes=90-1000", [Slice(90, 100)]),
            (b"bytes=99-", [Slice(99, 100)]),
            (b"bytes=-10", [Slice(90, 100)]),
            (b"bytes=-1000", [Slice(0, 100)]),
            (b"bytes=0-0,10-19", [Slice(0, 1), Slice(10, 20)]),
            (b"bytes=0-0,200-300", [Slice(0, 1)]),
            (b"bytes=10-19,0-0", []),
            (b"bytes=0-9,5-14", []),
            (b"bytes=0-49,50-99", []),
            (b"bytes=" + b",".join(b"%d-%d" % (place, place) for place in range(0, 60, 2)), []),
            (b"bytes=9-5", []),
            (b"bytes=x", []),
            (b"lines=0-1", []),
            (b"bytes=0-" + b"9" * 30, [Slice(0, 100)]),
        ):
            self.assertEqual(slices_of(value, 100), expected, value)
        for value in (b"bytes=100-", b"bytes=500-600", b"bytes=100-199,200-"):
            self.assertRaises(Unsatisfiable, slices_of, value, 100)
        self.assertRaises(Unsatisfiable, slices_of, b"bytes=0-", 0)
        self.assertEqual(slices_of(b"bytes=-5", 0), [])

    @given(st.integers(0, 50), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=5))
    def test_within(self, size: int, asked: list[tuple[int, int]]) -> None:
        """No slice is empty, outside the file, or over another."""
        value = ",".join(f"{start}-{stop}" for start, stop in asked).encode()
        try:
            slices = slices_of(b"bytes=" + value, size)
        except Unsatisfiable:
            return
        covered = [place for part in slices for place in range(part.start, part.stop)]
        self.assertEqual(covered, sorted(set(covered)))
        self.assertTrue(all(0 <= part.start < part.stop <= size for part in slices))

    def test_replies(self) -> None:
        """One part is itself, several are wrapped; HEAD has no ranges."""
        one = special(range=b"bytes=0-9")
        self.assertEqual((one.status, one.body, one.length), (206, (Slice(0, 10),), 10))
        several = special(range=b"bytes=0-9,20-29")
        self.assertEqual(several.length, several.size)
        self.assertEqual(several.body[1], Slice(0, 10))
        self.assertEqual(several.body[-1], b"\r\n--B--\r\n")
        self.assertEqual(special(range=b"bytes=0-9", method=b"HEAD").status, 200)
        self.assertEqual(special(range=b"bytes=5000-").status, 416)


class ReplyTests(SynchronousTestCase):
    """Replies and their heads."""

    def test_no_split(self) -> None:
        """No value begins another line."""
        self.assertEqual(render([("Location", "/a\r\nSet-Cookie: b")]), b"Location: /a Set-Cookie: b\r\n")

    def test_pages_are_escaped(self) -> None:
        """What comes from a request or a file system is text in a page."""
        for page in (
            pages.refusal(404, "<script>"),
            pages.redirect(301, '/"><script>'),
            pages.listing(b"<script>", [pages.Named(b'"<script>', False, 1, 1.0)], False),
        ):
            self.assertNotIn(b"<script>", b"".join(part for part in page.body if isinstance(part, bytes)))

    def test_packing(self) -> None:
        """Packing for whom and for what it is good."""
        self.assertIsNone(pack(b"short"))
        self.assertIsNone(pack(bytes((place * 73) % 251 ^ place % 7 for place in range(256))))
        packed = pack(b"again " * 1_000)
        assert packed is not None
        self.assertEqual(packed, pack(b"again " * 1_000))
        for value, expected in (
            (None, False),
            (b"", False),
            (b"gzip", True),
            (b"br, GZIP;q=0.5", True),
            (b"gzip;q=0", False),
            (b"*", True),
            (b"*;q=0", False),
            (b"gzip;q=0.5, identity;q=1", False),
            (b"identity", False),
            (b"\xff;;q=x", False),
        ):
            self.assertEqual(wants_packed(value), expected, value)

    def test_media_types(self) -> None:
        """By extension, whatever its case."""
        for path, kind in (
            (b"a/b.HTML", "text/html; charset=utf-8"),
            (b"a.tar.gz", "application/gzip"),
            (b"a.png", "image/png"),
            (b"html", "application/octet-stream"),
            (b"a.html/b", "application/octet-stream"),
            (b"a.\xff", "application/octet-stream"),
        ):
            self.assertEqual(media_type(path), kind, path)
        self.assertTrue(is_worth_packing("text/css; charset=utf-8"))
        self.assertFalse(is_worth_packing("image/png"))

    def test_facts(self) -> None:
        """A date is never in the future nor out of range, and a young one is no strong validator."""
        for modified, seconds, settled in (
            (10.5, 10, True),
            (999.5, 999, False),
            (5_000.0, 1_000, False),
            (-7.0, 0, True),
        ):
            facts = facts_of(b"a.txt", Stamp(1, 2, 3, int(modified * 1e9), int(modified * 1e9)), 1_000.0)
            self.assertEqual((facts.modified, facts.is_settled), (seconds, settled))
        self.assertFalse(Stamp(1, 2, 3, 4, int(999.95e9)).is_settled(1_000.0))
        self.assertTrue(Stamp(1, 2, 3, 4, int(999.5e9)).is_settled(1_000.0))
