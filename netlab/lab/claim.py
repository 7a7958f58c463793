"""A claim: something that the evidence of an experiment proves, disproves, or cannot tell."""

from collections.abc import Callable, Iterable

from attrs import frozen

from netlab.lab.evidence import Evidence
from netlab.trace.words.sentence import Sentence, said

PROVED, DISPROVED, UNTOLD = "proved", "disproved", "cannot be told"
VERDICTS = (PROVED, DISPROVED, UNTOLD)

PACKETS, EVENTS = "packets", "events"

#: Packets that a judgement cites; a longer list helps nobody.
MAX_FRAMES = 24


@frozen
class Judgement:
    """A verdict, the ``frames`` that show it, and why in words."""

    verdict: str
    frames: tuple[int, ...]
    reason: Sentence


@frozen
class Claim:
    """``text`` says what is claimed, ``look`` judges it by the evidence; it ``needs`` packets, or events only.

    ``name`` is short, one of its kind in an experiment: manifests, JUnit and tests know claims by it.
    """

    name: str
    text: Sentence
    look: Callable[[Evidence], Judgement]
    needs: str = PACKETS

    def judged(self, evidence: Evidence) -> Judgement:
        """The verdict. What no experiment of ours leaves behind can make ``look`` fail: then nothing can be told."""
        if self.needs == PACKETS and not evidence.captured:
            return untold(said("No packets were captured."))
        if not evidence.captured and not evidence.events:
            return untold(said("Nothing was run."))
        try:
            return self.look(evidence)
        except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
            return untold(said("What is there cannot be judged ({error}).", error=f"{type(error).__name__}: {error}"))


def proved(reason: Sentence, frames: Iterable[int | None] = ()) -> Judgement:
    """It is so."""
    return Judgement(PROVED, _cited(frames), reason)


def disproved(reason: Sentence, frames: Iterable[int | None] = ()) -> Judgement:
    """It is not so."""
    return Judgement(DISPROVED, _cited(frames), reason)


def untold(reason: Sentence, frames: Iterable[int | None] = ()) -> Judgement:
    """Nobody can say."""
    return Judgement(UNTOLD, _cited(frames), reason)


def decided(holds: bool, reason: Sentence, frames: Iterable[int | None] = ()) -> Judgement:
    """It is so, or not, for this reason."""
    return Judgement(PROVED if holds else DISPROVED, _cited(frames), reason)


def _cited(frames: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(frame for frame in frames if frame))[:MAX_FRAMES]
