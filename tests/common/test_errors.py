"""The roots of all errors."""

from twisted.trial.unittest import SynchronousTestCase

from netlab.common.errors import LocalError, NetlabError, RemoteError


class RootTests(SynchronousTestCase):
    """Whoever catches our errors can tell whose fault they are."""

    def test_two_causes(self) -> None:
        """A program's misuse and a peer's fault have one root and are never each other."""
        self.assertTrue(issubclass(LocalError, NetlabError) and issubclass(RemoteError, NetlabError))
        self.assertFalse(issubclass(LocalError, RemoteError) or issubclass(RemoteError, LocalError))

    def test_not_builtin(self) -> None:
        """No `except ValueError` or `except OSError` catches them by accident."""
        self.assertEqual(NetlabError.__bases__, (Exception,))
