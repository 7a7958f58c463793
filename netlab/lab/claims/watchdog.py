"""Claims about the watchdog and its ping (protocols.md §4)."""

from collections.abc import Sequence

from netlab.lab.claim import EVENTS, Claim, Judgement, decided, disproved
from netlab.lab.claims.tcp import SERVER, in_time, only, side, time_of
from netlab.lab.evidence import Evidence
from netlab.trace.app.watchdog import WatchdogTalk
from netlab.trace.words.sentence import Duration, Listing, Notation, Plain, said


def talk(evidence: Evidence, port: int) -> WatchdogTalk:
    """What the watchdog on ``port`` was told.

    :raises LookupError: nothing.
    """
    application = evidence.application(only(evidence, port))
    if application is None or not isinstance(application.facts, WatchdogTalk):
        raise LookupError("no messages to a watchdog")
    return application.facts


def started(port: int) -> Claim:
    """300 once, first; then 256 and nothing else."""

    def look(evidence: Evidence) -> Judgement:
        found = talk(evidence, port).messages
        kinds = [one.kind for one in found]
        reason = said(
            "Its messages, with how often: 300 × {starts}, 256 × {resets}.",
            starts=kinds.count("start"),
            resets=kinds.count("reset"),
        )
        holds = kinds[:1] == ["start"] and set(kinds[1:]) <= {"reset"}
        return decided(holds, reason, [one.span.first for one in found])

    return Claim(
        "start", said("The watchdog is told to start (300) once, and then only to set its timer to zero (256)."), look
    )


def reset_each(port: int) -> Claim:
    """After every reply a 256."""

    def look(evidence: Evidence) -> Judgement:
        resets = [one.span.first for one in talk(evidence, port).messages if one.kind == "reset"]
        replies = sorted(echo.reply for one in evidence.findings.echoes for echo in one.echoes if echo.reply)
        reason = said("{replies} replies, 256 × {resets}.", replies=len(replies), resets=len(resets))
        follows = all(reply < reset for reply, reset in zip(replies, resets, strict=False))
        cited = [frame for pair in zip(replies, resets, strict=False) for frame in pair]
        return decided(bool(replies) and len(replies) == len(resets) and follows, reason, cited)

    return Claim("reset", said("After each reply it is told 256."), look)


def ended(port: int, timeout: float, slack: float) -> Claim:
    """The connection ends the time-out after the last message: the watchdog ends the ping, and one of them closes."""

    def look(evidence: Evidence) -> Judgement:
        one, found = only(evidence, port), talk(evidence, port)
        if found.closed is None or found.silence is None:
            return disproved(said("Nobody closed before the capture ended."), [one.last])
        by_watchdog = found.closed.by == side(one, SERVER)
        who = said("the watchdog closed") if by_watchdog else said("the ping closed")
        reason = said("{time} after the last message {who}.", time=Duration(found.silence), who=who)
        return decided(
            in_time(found.silence, timeout, slack), reason, [found.messages[-1].span.last, found.closed.frame]
        )

    text = said("The watchdog ends the ping {time} after the last message.", time=time_of(timeout))
    return Claim("end", text, look)


def in_order(source: str, words: Sequence[str]) -> Claim:
    """The timeline that the watchdog told has these entries, in this order."""

    def look(evidence: Evidence) -> Judgement:
        lines = [event.text for event in evidence.said(source)]
        told = [next((place for place, line in enumerate(lines) if _entry(line, word)), None) for word in words]
        missing = [word for word, place in zip(words, told, strict=True) if place is None]
        if missing:
            names = Listing(tuple(map(Notation, missing)))
            return disproved(said("The timeline has no: {words}.", words=names))
        places = [place for place in told if place is not None]
        return decided(places == sorted(places), said("The timeline: {words}.", words=_listed(lines, places, words)))

    names = Listing(tuple(map(Notation, words)))
    return Claim("timeline", said("The timeline has, in this order: {words}.", words=names), look, EVENTS)


def _entry(line: str, word: str) -> bool:
    """Whether a line is the entry ``word`` of a timeline: a time, and then the word."""
    time, unit, rest = line.partition(" s  ")
    return bool(unit) and time[-1:].isdigit() and rest.startswith(word)


def _listed(lines: Sequence[str], places: Sequence[int], words: Sequence[str]) -> Listing:
    """Each entry with its time in s."""
    times = (lines[place].partition(" s  ")[0].split()[-1] for place in places)
    return Listing(tuple(Notation(f"{time} s {word}") for time, word in zip(times, words, strict=True)))


def ended_with(source: str, code: int) -> Claim:
    """How the watched program ended."""

    def look(evidence: Evidence) -> Judgement:
        found = [event.text for event in evidence.said(source, "exit")]
        if not found:
            return disproved(said("It never ended."))
        return decided(found == [str(code)], said("Its exit code was {code}.", code=Notation(found[0])))

    return Claim("exit", said("The ping is ended, with exit code {code}.", code=Plain(code)), look, EVENTS)
