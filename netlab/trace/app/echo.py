"""ICMP echoes (RFC 792, RFC 4443): requests with their replies, what was lost, and errors that quote a request."""

from collections import Counter

from attrs import frozen

from netlab.trace.icmp import Message, Quoted

#: Echoes of a capture that are kept.
MAX_ECHOES = 200_000
#: A reply that has not come for so long, in ns, is lost; round trips on Earth are far below a second.
PATIENCE = 2_000_000_000
#: The same request again within this time, in ns, unanswered, is the same packet seen twice, not a new echo.
AGAIN = 500_000_000
#: Further replies, repeats and errors of one echo that are kept.
MAX_FRAMES = 32


@frozen
class EchoError:
    """An ICMP error that quotes a request: who sent it, and what it says."""

    frame: int
    time: int
    source: str
    name: str
    type: int
    code: int


@frozen
class Echo:
    """One request and its reply.

    ``request`` and ``reply`` are frames, the times ns since 1970, all `None` for what did not come; ``rtt`` is in ns.
    ``length`` is the request's data in bytes, ``same_data`` whether the reply brought the same, `None` if that cannot
    be told. ``repeats`` are frames with the same request again, ``duplicates`` further replies. ``outcome``:
    ``answered``, ``failed`` (an error quotes it), ``lost`` (no reply, though a later request got one or `PATIENCE`
    passed), ``unanswered`` (no reply, and the capture ended too early to tell), ``unasked`` (a reply to no request).
    """

    sequence: int
    request: int | None
    reply: int | None
    request_time: int | None
    reply_time: int | None
    rtt: int | None
    length: int
    same_data: bool | None
    outcome: str
    repeats: tuple[int, ...]
    duplicates: tuple[int, ...]
    errors: tuple[EchoError, ...]


@frozen
class EchoSession:
    """The echoes of one program: of one identifier, from ``source`` to ``destination``, in IP ``version`` 4 or 6."""

    version: int
    source: str
    destination: str
    identifier: int
    echoes: tuple[Echo, ...]
    sent: int
    received: int
    lost: int
    unanswered: int
    failed: int
    duplicates: int
    rtt_least: int | None
    rtt_mean: int | None
    rtt_most: int | None


class _Echo:
    """An echo in progress."""

    __slots__ = ("data", "duplicates", "errors", "repeats", "reply", "request", "same", "sequence", "whole")

    def __init__(self, sequence: int, message: Message, request: tuple[int, int] | None) -> None:
        self.sequence = sequence
        self.data = message.payload
        self.whole = len(message.payload) == message.length
        self.request = request
        self.reply: tuple[int, int] | None = None
        self.same: bool | None = None
        self.repeats: list[int] = []
        self.duplicates: list[int] = []
        self.errors: list[EchoError] = []


#: version, source, destination, identifier: of the requests
_Key = tuple[int, str, str, int]


class Echoes:
    """ICMP messages in, in the order of the file; sessions out."""

    def __init__(self, most: int = MAX_ECHOES) -> None:
        self._room = most
        #: Echoes for which there was no room.
        self.left_out = 0
        self._sessions: dict[_Key, list[_Echo]] = {}
        #: The latest echo of each sequence number.
        self._latest: dict[tuple[_Key, int], _Echo] = {}

    def message(self, frame: int, time: int, source: str, destination: str, one: Message) -> None:
        """A message came."""
        if one.identifier is not None and one.sequence is not None:
            if one.is_request:
                self._request((one.version, source, destination, one.identifier), frame, time, one, one.sequence)
            else:
                self._reply((one.version, destination, source, one.identifier), frame, time, one, one.sequence)
        elif one.quoted is not None and one.quoted.identifier is not None:
            self._error(one, one.quoted, EchoError(frame, time, source, one.name, one.type, one.code))

    def facts(self, now: int) -> tuple[EchoSession, ...]:
        """All sessions; the capture ended at ``now``, ns since 1970."""
        return tuple(_session(key, echoes, now) for key, echoes in self._sessions.items())

    def _request(self, key: _Key, frame: int, time: int, one: Message, sequence: int) -> None:
        known = self._latest.get((key, sequence))
        asked = known.request if known is not None and known.data == one.payload else None
        if known is not None and asked is not None and time - asked[1] < AGAIN:
            _keep(known.repeats, frame)
        else:
            self._add(key, _Echo(sequence, one, (frame, time)))

    def _reply(self, key: _Key, frame: int, time: int, one: Message, sequence: int) -> None:
        known = self._latest.get((key, sequence))
        if known is None:
            known = self._add(key, _Echo(sequence, one, None))
            if known is not None:
                known.reply = frame, time
        elif known.reply is not None:
            _keep(known.duplicates, frame)
        else:
            known.reply = frame, time
            if known.whole and len(one.payload) == one.length:
                known.same = known.data == one.payload

    def _error(self, one: Message, quoted: Quoted, error: EchoError) -> None:
        key = one.version, quoted.source, quoted.destination, quoted.identifier or 0
        known = self._latest.get((key, quoted.sequence or 0))
        if known is not None and len(known.errors) < MAX_FRAMES:
            known.errors.append(error)

    def _add(self, key: _Key, echo: _Echo) -> _Echo | None:
        if not self._room:
            self.left_out += 1
            return None
        self._room -= 1
        self._sessions.setdefault(key, []).append(echo)
        self._latest[key, echo.sequence] = echo
        return echo


def _keep(frames: list[int], frame: int) -> None:
    if len(frames) < MAX_FRAMES:
        frames.append(frame)


def _session(key: _Key, echoes: list[_Echo], now: int) -> EchoSession:
    answered = max((echo.request[1] for echo in echoes if echo.request and echo.reply), default=0)
    facts = tuple(_facts(echo, answered, now) for echo in echoes)
    rtts = [echo.rtt for echo in facts if echo.rtt is not None]
    outcomes = Counter(echo.outcome for echo in facts)
    return EchoSession(
        *key,
        facts,
        sent=sum(echo.request is not None for echo in facts),
        received=sum(echo.reply is not None for echo in facts),
        lost=outcomes["lost"],
        unanswered=outcomes["unanswered"],
        failed=outcomes["failed"],
        duplicates=sum(len(echo.duplicates) for echo in facts),
        rtt_least=min(rtts, default=None),
        rtt_mean=sum(rtts) // len(rtts) if rtts else None,
        rtt_most=max(rtts, default=None),
    )


def _facts(echo: _Echo, answered: int, now: int) -> Echo:
    request, reply = echo.request, echo.reply
    return Echo(
        echo.sequence,
        request[0] if request else None,
        reply[0] if reply else None,
        request[1] if request else None,
        reply[1] if reply else None,
        reply[1] - request[1] if request and reply else None,
        len(echo.data),
        echo.same,
        _outcome(echo, answered, now),
        tuple(echo.repeats),
        tuple(echo.duplicates),
        tuple(echo.errors),
    )


def _outcome(echo: _Echo, answered: int, now: int) -> str:
    if echo.request is None:
        return "unasked"
    if echo.reply is not None:
        return "answered"
    if echo.errors:
        return "failed"
    asked = echo.request[1]
    return "lost" if asked < answered or now - asked >= PATIENCE else "unanswered"
