"""Targets and paths: what a target means, and that nothing means anything outside."""

import posixpath

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.web.errors import TargetRefused
from netlab.web.resolve import Place, is_served, resolve, target_of

#: What targets that want to get out are made of.
TRICKS = st.lists(
    st.sampled_from(
        [
            b"/",
            b"..",
            b".",
            b"%2e",
            b"%2E",
            b"%2f",
            b"%5c",
            b"\\",
            b"%00",
            b"%252e",
            b"a",
            b"%",
            b"?",
            b"%c0%ae",
            b"http:",
        ]
    ),
    max_size=12,
).map(b"".join)


class ResolveTests(SynchronousTestCase):
    """The rules one by one."""

    def test_places(self) -> None:
        """What targets lead to."""
        for target, place in (
            (b"/", Place(b"", True, b"")),
            (b"/a/b.html", Place(b"a/b.html", False, b"")),
            (b"/a/?b=/../c", Place(b"a", True, b"?b=/../c")),
            (b"/%61%20b", Place(b"a b", False, b"")),
            (b"/%ff", Place(b"\xff", False, b"")),
            (b"/%2561", Place(b"%61", False, b"")),
            (b"/a..b/c...", Place(b"a..b/c...", False, b"")),
            (b"http://a:80/b", Place(b"b", False, b"")),
            (b"HTTPS://a?b", Place(b"", True, b"?b")),
        ):
            self.assertEqual(resolve(target), place)
        self.assertEqual(resolve(b"/a/").index_file, b"a/index.html")
        self.assertEqual(resolve(b"/").index_file, b"index.html")

    def test_refused(self) -> None:
        """What leads nowhere: malformed targets by 400, all others by 404."""
        for target, status in (
            (b"a", 400),
            (b"*", 400),
            (b"/%", 400),
            (b"/%4", 400),
            (b"/a#b", 400),
            (b"/..", 404),
            (b"/a//b", 404),
            (b"/%2fa", 404),
            (b"/.a", 404),
            (b"/" + b"a" * 256, 404),
            (b"/" + b"a/" * 2_000, 404),
        ):
            error = self.assertRaises(TargetRefused, resolve, target)
            self.assertEqual(error.status, status, target)

    @given(st.one_of(TRICKS, st.binary(max_size=40)).map(lambda rest: b"/" + rest))
    def test_never_outside(self, target: bytes) -> None:
        """A path that is found is under the root, has no hidden part, and is the simplest way to write it."""
        try:
            place = resolve(target)
        except TargetRefused:
            return
        full = posixpath.normpath(b"/root/" + place.path)
        self.assertEqual(full, b"/root/" + place.path if place.path else b"/root")
        self.assertNotIn(0, place.path)
        self.assertTrue(is_served(full, b"/root"))

    @given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=4))
    def test_there_and_back(self, names: list[bytes]) -> None:
        """The target that is made for a path leads to it, or the path is none that is served."""
        path = b"/".join(names)
        try:
            self.assertEqual(resolve(target_of(path)).path, path.rstrip(b"/"))
        except TargetRefused:
            self.assertTrue(
                any(not name or name.startswith(b".") or b"\\" in name or b"\0" in name for name in path.split(b"/"))
            )

    def test_is_served(self) -> None:
        """Under the root, in the plain sense, and by no hidden folder."""
        self.assertTrue(is_served(b"/", b"/"))
        self.assertTrue(is_served(b"/a", b"/"))
        self.assertTrue(is_served(b"/home/.x/site/a", b"/home/.x/site"))
        for real in (b"/root2", b"/root2/a", b"/", b"/root/.a", b"/root/a/.b/c", b"/roo"):
            self.assertFalse(is_served(real, b"/root"), real)
