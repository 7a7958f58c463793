"""Which codec a body is in."""

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs.choice import Codec, codec_of
from netlab.calc.errors import UnknownCodec


class ChoiceTests(SynchronousTestCase):
    """The first byte decides, and nothing after it."""

    def test_known(self) -> None:
        """PROTO is pickle, a brace is JSON."""
        self.assertIs(codec_of(b"\x80"), Codec.PICKLE)
        self.assertIs(codec_of(b"\x80 anything"), Codec.PICKLE)
        self.assertIs(codec_of(b"{"), Codec.JSON)
        self.assertIs(codec_of(b"{\x80"), Codec.JSON)

    def test_unknown(self) -> None:
        """Every other byte is refused and named; white space before JSON is no JSON here."""
        for byte in set(range(256)) - {0x80, ord("{")}:
            error = self.assertRaises(UnknownCodec, codec_of, bytes((byte,)) + b"{}")
            self.assertIn(f"{byte:#04x}", str(error))

    def test_empty(self) -> None:
        """A body of no bytes has no codec."""
        self.assertRaises(UnknownCodec, codec_of, b"")
