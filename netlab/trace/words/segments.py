"""TCP segments in words: what each does, and where its numbers come from."""

from collections.abc import Iterator

from netlab.trace import flags as kinds
from netlab.trace.facts import Endpoint, Packet, Segment
from netlab.trace.words.flags import flag_sentence
from netlab.trace.words.options import offered, selective
from netlab.trace.words.people import Roles, Who, who
from netlab.trace.words.sentence import Duration, Plain, Sentence, counted, octets, said

_MASK, _HALF = 0xFFFFFFFF, 0x80000000
#: Flags that say all there is to say of a segment without new data.
_NOT_DATA = {kinds.KEEP_ALIVE}


class _Told:
    """What was told of a conversation: the opener, and of both sides the last Ack, the number after FIN, the window."""

    __slots__ = ("acked", "client", "established", "fin_end", "silent", "synchronized", "window_told")

    def __init__(self) -> None:
        self.client: int | None = None
        self.established = False
        self.acked: list[int | None] = [None, None]
        self.fin_end: list[int | None] = [None, None]
        self.synchronized = [False, False]
        self.silent = [True, True]
        self.window_told = [False, False]


class SegmentTeller:
    """Tells segments in the order of the file: much of what a number means is what came before."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._told: dict[int, _Told] = {}

    def sentences(self, packet: Packet, one: Segment) -> Iterator[Sentence]:
        """Everything about the segment ``one`` of ``packet``."""
        told = self._known(one)
        this = self._who(told, packet, one)
        yield from _opening(told, this, one)
        yield from _data(this, one)
        if one.fin:
            yield _fin(this, one)
        if one.rst:
            yield _reset(told, this, one)
        if one.ack:
            yield from _acknowledgment(told, one)
        yield from _window(told, this, one)
        for flag in one.flags:
            yield flag_sentence(flag)
        _remember(told, one)

    def pass_over(self, one: Segment) -> None:
        """A segment that is not told."""
        told = self._known(one)
        told.established |= _completes(told, one)
        _remember(told, one)

    def _known(self, one: Segment) -> _Told:
        told = self._told.get(one.conversation)
        if told is None:
            told = self._told[one.conversation] = _Told()
        if one.syn and told.client is None:
            told.client = 1 - one.sender if one.ack else one.sender
        return told

    def _who(self, told: _Told, packet: Packet, one: Segment) -> Who:
        is_client = None if told.client is None else told.client == one.sender
        return who(Endpoint(packet.source or "", one.source_port), self._roles, is_client)


def _completes(told: _Told, one: Segment) -> bool:
    """Whether this is the first ACK after SYN and SYN-ACK."""
    return bool(not told.established and all(told.synchronized) and one.ack and not one.syn)


def _opening(told: _Told, this: Who, one: Segment) -> Iterator[Sentence]:
    if not one.syn:
        if _completes(told, one):
            told.established = True
            if not one.rst:
                yield said("The handshake is complete: each side knows where the other's numbers begin.")
        return
    raw = Plain(one.raw_sequence)
    if told.synchronized[one.sender]:
        yield said("{who} sends its SYN again: its kernel does that by itself when no answer comes.", who=this.first)
        return
    if one.ack:
        yield said(
            "{who} accepts: SYN and ACK. Its own numbers begin with Seq 0 (really {raw}).", who=this.first, raw=raw
        )
    else:
        yield said(
            "{who} asks for a connection: SYN. Its numbers begin with Seq 0 (really {raw}).", who=this.first, raw=raw
        )
    options = offered(one.options)
    if options.items:
        yield said("It offers {options}.", options=options)


def _data(this: Who, one: Segment) -> Iterator[Sentence]:
    if not one.length or any(flag.kind in _NOT_DATA for flag in one.flags):
        return
    first = one.sequence + one.syn & _MASK
    yield counted(
        "{who} sends {count} byte, Seq {first}; its next is Seq {next}.",
        "{who} sends {count} bytes, Seq {first} to {last}; its next is Seq {next}.",
        one.length,
        who=this.first,
        first=Plain(first),
        last=Plain(first + one.length - 1 & _MASK),
        next=Plain(first + one.length & _MASK),
    )
    if one.urgent:
        yield said("The urgent pointer is {pointer}.", pointer=Plain(one.urgent))


def _fin(this: Who, one: Segment) -> Sentence:
    return said(
        "{who} has nothing more to send: FIN. It counts as one: Seq {sequence} + 1 = {next}.",
        who=this.first,
        sequence=Plain(one.sequence + one.length & _MASK),
        next=Plain(one.next_sequence),
    )


def _reset(told: _Told, this: Who, one: Segment) -> Sentence:
    if told.silent[one.sender] and told.synchronized[1 - one.sender] and one.ack:
        return said(
            "{who} refuses: RST instead of SYN and ACK. As a rule no program listens on port {port}.",
            who=this.first,
            port=Plain(one.source_port),
        )
    if one.ack:
        return said("{who} resets the connection: RST. What is still on its way is thrown away.", who=this.first)
    if told.fin_end[one.sender] is not None:
        return said(
            "{who} has closed, so that nobody there reads what came: RST. Its Seq {sequence} is the Ack of what it "
            "answers.",
            who=this.first,
            sequence=Plain(one.sequence),
        )
    return said(
        "{who} answers something that no connection of its expects: RST. Its Seq {sequence} is the Ack of what it "
        "answers.",
        who=this.first,
        sequence=Plain(one.sequence),
    )


def _acknowledgment(told: _Told, one: Segment) -> Iterator[Sentence]:
    ack, before = one.acknowledgment, told.acked[one.sender]
    if before is None and told.synchronized[1 - one.sender]:
        yield _first_ack(ack)
    elif before is None:
        yield said("Ack {ack}: everything before this number has come.", ack=Plain(ack))
    elif ack != before:
        yield _later_ack(ack, before, told.fin_end[1 - one.sender] == ack)
    elif not (one.length or one.fin or one.syn or one.rst or one.flags):
        yield said("Ack {ack} as before: nothing new has come.", ack=Plain(ack))
    if one.acknowledges is not None and one.rtt is not None:
        yield said(
            "That acknowledges packet {frame}, {time} after it.", frame=Plain(one.acknowledges), time=Duration(one.rtt)
        )
    options = one.options
    if options.sack:
        blocks = selective(options, one.raw_acknowledgment - ack)
        yield said("Beyond that it has already got Seq {blocks} (SACK).", blocks=blocks)


def _first_ack(ack: int) -> Sentence:
    if ack == 1:
        return said("Ack 1 = Seq 0 + 1, because the SYN counts as one.")
    return counted(
        "Ack {ack} = Seq 0 + 1 for the SYN + {count} byte received.",
        "Ack {ack} = Seq 0 + 1 for the SYN + {count} bytes received.",
        ack - 1 & _MASK,
        ack=Plain(ack),
    )


def _later_ack(ack: int, before: int, of_fin: bool) -> Sentence:
    news = ack - before & _MASK
    if news >= _HALF:
        return said("Ack {ack} is less than Ack {before} was: it was overtaken.", ack=Plain(ack), before=Plain(before))
    if of_fin and news == 1:
        return said(
            "Ack {ack} = Seq {before} + 1, because the FIN counts as one.", ack=Plain(ack), before=Plain(before)
        )
    if of_fin:
        return counted(
            "Ack {ack} = Seq {before} + {count} byte received + 1 for the FIN.",
            "Ack {ack} = Seq {before} + {count} bytes received + 1 for the FIN.",
            news - 1,
            ack=Plain(ack),
            before=Plain(before),
        )
    return counted(
        "Ack {ack} = Seq {before} + {count} byte received.",
        "Ack {ack} = Seq {before} + {count} bytes received.",
        news,
        ack=Plain(ack),
        before=Plain(before),
    )


def _window(told: _Told, this: Who, one: Segment) -> Iterator[Sentence]:
    """The window, once it is scaled: that multiplication is done once for the reader."""
    if one.syn or one.rst or told.window_told[one.sender]:
        return
    told.window_told[one.sender] = True
    if one.scale:
        yield said(
            "There is room for {window} at its side: {raw} in the header × {factor}, as its SYN said.",
            window=octets(one.window),
            raw=one.raw_window,
            factor=1 << one.scale,
        )


def _remember(told: _Told, one: Segment) -> None:
    if one.syn:
        told.synchronized[one.sender] = True
    if one.fin:
        told.fin_end[one.sender] = one.next_sequence
    if one.ack:
        told.acked[one.sender] = one.acknowledgment
    told.silent[one.sender] = False
