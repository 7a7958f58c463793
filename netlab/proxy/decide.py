"""What to do with a request and with the answer to it, and why, in the words of RFC 9211."""

import math
from enum import Enum

from attrs import evolve, frozen

from netlab.calc.header import SERVER_ERROR, Header
from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Clocks, Freshness, Limits, freshness


class Forward(Enum):
    """Why a request went to an upstream (RFC 9211 §2.2, the values of ``fwd``)."""

    #: Nothing is stored for it.
    MISS = "uri-miss"
    #: What is stored has passed the server's limit.
    STALE = "stale"
    #: What is stored is fresh, but older than the client accepts; or the client asks to reload.
    REQUEST = "request"
    #: The client asks for no caching at all (its bit C is 0).
    BYPASS = "bypass"


class NotStored(Enum):
    """Why an upstream's answer was not stored, in one word (RFC 9211 §2.8 ``detail``)."""

    #: The client asks for no caching at all (its bit C is 0).
    REQUEST_FORBIDS = "request-forbids"
    #: The status is 5xx.
    SERVER_ERROR = "server-error"
    #: The upstream lets nobody keep it (its bit C is 0).
    RESPONSE_FORBIDS = "response-forbids"
    #: The client asks for an answer made for it (its max-age is 0).
    RELOAD = "reload"
    #: The answer's time was over as it came.
    EXPIRED = "response-expired"
    #: The answer was older than the client accepts as it came.
    TOO_OLD = "request-limit"
    #: What was stored was removed by hand while the answer was on its way.
    PURGED = "purged"
    #: The store did not take it.
    NO_ROOM = "no-room"


#: Reasons for which neither side's max-age counts: no sum decides (protocols.md §1: ignored when C is 0).
_NO_SUM = {NotStored.REQUEST_FORBIDS, NotStored.SERVER_ERROR, NotStored.RESPONSE_FORBIDS}

_WHY = {
    NotStored.REQUEST_FORBIDS: "the request forbids it: its bit C is 0",
    NotStored.SERVER_ERROR: "the answer is a server error, which is never stored",
    NotStored.RESPONSE_FORBIDS: "the answer forbids it: its bit C is 0",
    NotStored.RELOAD: "the request asks to reload: its max-age is 0",
    NotStored.EXPIRED: "the answer's own max-age was over as it came",
    NotStored.TOO_OLD: "the answer was older than the request accepts as it came",
    NotStored.PURGED: "it was purged while its answer was on its way",
    NotStored.NO_ROOM: "the store did not take it: it has no room for such an answer, or does not work",
}


@frozen
class Decision:
    """Where an answer came from, and the sum that decided it.

    ``forward`` is `None` for a hit. ``freshness`` is the sum for what was stored, `None` when nothing was; ``answer``
    that for what an upstream answered, and ``not_stored`` why that was not stored, if it was not. ``collapsed`` is
    whether the answer to another request that was on its way served this one, too; `None` when there was no other.
    ``stale``: an expired answer was served, for the reason given (``error`` or ``revalidate``, RFC 5861). ``failed``:
    no upstream gave an answer that could serve, for this reason. ``background``: no client waits; a stale answer was
    sent, and this is the request for a new one.
    """

    forward: Forward | None
    freshness: Freshness | None = None
    answer: Freshness | None = None
    stored: bool = False
    collapsed: bool | None = None
    stale: str | None = None
    failed: str | None = None
    not_stored: NotStored | None = None
    background: bool = False

    @property
    def hit(self) -> bool:
        """Whether a stored answer was sent without asking an upstream first."""
        return self.forward is None


@frozen
class StaleRules:
    """How long past the server's limit a stored answer may still serve, in seconds (RFC 5861); 0 is not at all."""

    if_error: float = 0.0
    while_revalidate: float = 0.0


def decide(entry: Entry | None, request: Header, now: Clocks, limits: Limits) -> Decision:
    """What to do with a request, given what is stored for it: send that, or ask an upstream."""
    if not request.cache:
        return Decision(Forward.BYPASS)
    if entry is None:
        return Decision(Forward.MISS)
    total = freshness(entry, request.max_age, now, limits)
    if total.serves:
        return Decision(None, total)
    return Decision(Forward.STALE if total.server_remaining <= 0 else Forward.REQUEST, total)


def decide_storing(decision: Decision, request: Header, answer: Entry, now: Clocks, limits: Limits) -> Decision:
    """What to do with the answer that an upstream gave: the decision, with its own sum, and whether to store it."""
    total = freshness(answer, request.max_age, now, limits)
    reason = _objection(request, Header.decode(answer.packet), total)
    return evolve(decision, answer=total, stored=reason is None, not_stored=reason)


def not_stored(decision: Decision, reason: NotStored) -> Decision:
    """The decision for an answer that both sides let be stored, and that was not."""
    return evolve(decision, stored=False, not_stored=reason)


def _objection(request: Header, answer: Header, total: Freshness) -> NotStored | None:
    """The first reason not to store an answer, `None` if there is none."""
    reasons = (
        (NotStored.REQUEST_FORBIDS, not request.cache),
        (NotStored.SERVER_ERROR, answer.status >= SERVER_ERROR),
        (NotStored.RESPONSE_FORBIDS, not answer.cache),
        (NotStored.RELOAD, request.max_age == 0),
        (NotStored.EXPIRED, total.server_remaining <= 0),
        (NotStored.TOO_OLD, total.client_remaining <= 0),
    )
    return next((reason for reason, holds in reasons if holds), None)


def may_share(answer: Entry, request: Header, now: Clocks, limits: Limits) -> bool:
    """Whether an answer that was fetched for one client may serve another, whose ``request`` was made meanwhile.

    One that its server lets nobody keep was made for that client alone, and no client gets an older one than it
    accepts; an error of the server's own is everybody's.
    """
    header = Header.decode(answer.packet)
    if header.status >= SERVER_ERROR:
        return True
    return header.cache and freshness(answer, request.max_age, now, limits).serves


def may_serve_stale(decision: Decision, allowed: float) -> bool:
    """Whether what is stored may serve ``allowed`` seconds past the server's limit.

    The client's own limit is never passed: it said how old an answer it accepts.
    """
    total = decision.freshness
    return (
        allowed > 0
        and decision.forward is Forward.STALE
        and total is not None
        and total.client_remaining > 0
        and -total.server_remaining < allowed
    )


def log_line(decision: Decision) -> str:
    """The line that the deployed proxy logs (protocols.md §1 Proxy rules), and lines like it for what it could not do.

    It ends with both times remaining, unless there is nothing to take them of.
    """
    total = decision.freshness or decision.answer
    what = _what(decision)
    if total is None:
        return what
    server, client = _seconds(total.server_remaining), _seconds(total.client_remaining)
    return f"{what} ,server time remaining: {server}, client time remaining: {client}"


def _what(decision: Decision) -> str:
    if decision.stale == "error":
        return f"Cache miss, stale response served (stale-if-error: {decision.failed})"
    if decision.stale:
        return "Cache hit, stale response served (stale-while-revalidate)"
    if decision.failed is not None:
        return f"Unexpected server error: {decision.failed}"
    if decision.hit:
        return "Cache hit"
    if decision.freshness is not None:
        return "Cache miss, stale response"
    return "Cache miss, response cached" if decision.stored else "Cache miss, response not cached"


def cache_status(decision: Decision) -> str:
    """The decision as a ``Cache-Status`` list member (RFC 9211 §2); a negative ``ttl`` is how long ago it expired."""
    parts = ["netlab-proxy", "hit" if decision.forward is None else f"fwd={decision.forward.value}"]
    if decision.stored:
        parts.append("stored")
    if decision.collapsed is not None:
        parts.append("collapsed" if decision.collapsed else "collapsed=?0")
    total = _decisive(decision)
    if total is not None and not math.isinf(total.server_remaining):
        parts.append(f"ttl={math.floor(total.server_remaining)}")
    detail = _detail(decision)
    return "; ".join([*parts, f"detail={detail}"] if detail else parts)


def answer_sum(decision: Decision) -> Freshness | None:
    """The sum for what an upstream answered; `None` where it was not done, or no sum counts."""
    return None if decision.not_stored in _NO_SUM else decision.answer


def why(decision: Decision) -> str | None:
    """Why an upstream's answer was not stored, in words; `None` where there is nothing to say."""
    return None if decision.not_stored is None else f"not stored: {_WHY[decision.not_stored]}"


def _decisive(decision: Decision) -> Freshness | None:
    """The sum for what was sent, `None` where there is none that counts."""
    if decision.stale or decision.answer is None:
        return decision.freshness
    return answer_sum(decision)


def _detail(decision: Decision) -> str | None:
    if decision.stale:
        return "stale-if-error" if decision.stale == "error" else "stale-while-revalidate"
    if decision.failed is not None:
        return "upstream-failed"
    if decision.not_stored is not None:
        return decision.not_stored.value
    return "revalidation" if decision.background else None


def _seconds(remaining: float) -> str:
    return "inf" if math.isinf(remaining) else f"{remaining:.2f}"
