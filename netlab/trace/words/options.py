"""TCP options in words."""

from collections.abc import Iterator

from netlab.trace.tcp import Options
from netlab.trace.words.sentence import Duration, Listing, Notation, Plain, Sentence, octets, said


def offered(options: Options) -> Listing:
    """What a SYN offers; empty if nothing."""
    return Listing(tuple(_offers(options)))


def _offers(options: Options) -> Iterator[Sentence]:
    if options.mss is not None:
        yield said("segments of up to {size} (MSS)", size=octets(options.mss))
    if options.scale is not None:
        yield said(
            "windows times {factor} (window scale {scale})", factor=1 << options.scale, scale=Plain(options.scale)
        )
    if options.sack_permitted:
        yield said("selective acknowledgments (SACK)")
    if options.timestamps is not None:
        yield said("time stamps")
    if options.fast_open is not None:
        yield said("Fast Open, with a cookie of {size}", size=octets(len(options.fast_open)))
    if options.multipath is not None:
        yield said("Multipath TCP")
    if options.user_timeout is not None:
        yield said("a user time-out of {time}", time=Duration(options.user_timeout * 1_000_000_000))
    if options.signed:
        yield said("signed segments")
    if options.others:
        yield said("options of kinds {kinds}", kinds=Listing(tuple(map(Plain, options.others))))


def selective(options: Options, base: int) -> Listing:
    """The blocks of a selective acknowledgment, relative to the raw number ``base``, the last byte included."""
    blocks = [(start - base & 0xFFFFFFFF, end - base - 1 & 0xFFFFFFFF) for start, end in options.sack]
    return Listing(tuple(Notation(f"{first}–{last}") for first, last in blocks))
