"""What came of an experiment: evidence, judgements, and everything that a report tells."""

from collections import Counter
from collections.abc import Mapping

from attrs import frozen

from netlab.lab.claim import DISPROVED, PROVED, Claim, Judgement
from netlab.lab.draw import Value, Whose
from netlab.lab.events import Event
from netlab.lab.evidence import Evidence, analysed
from netlab.lab.experiment import Experiment, Plan


@frozen
class Result:
    """``capture`` is the file's bytes, `None` if nothing was captured; ``network`` is ``own`` or ``machine``."""

    experiment: Experiment
    whose: Whose
    plan: Plan
    parameters: Mapping[str, Value]
    capture: bytes | None
    evidence: Evidence
    judged: tuple[tuple[Claim, Judgement], ...]
    network: str
    why: str = ""

    @property
    def verdicts(self) -> Counter[str]:
        """How many claims have which verdict."""
        return Counter(judgement.verdict for _, judgement in self.judged)

    @property
    def is_disproved(self) -> bool:
        """Whether any claim is."""
        return bool(self.verdicts[DISPROVED])

    @property
    def is_proved(self) -> bool:
        """Whether every claim is."""
        return self.verdicts[PROVED] == len(self.judged)

    @property
    def cited(self) -> tuple[int, ...]:
        """The frames that judgements cite, in order."""
        return tuple(sorted({frame for _, judgement in self.judged for frame in judgement.frames}))

    def comments(self) -> dict[int, list[str]]:
        """For each cited frame the names of the claims that cite it."""
        found: dict[int, list[str]] = {}
        for claim, judgement in self.judged:
            for frame in judgement.frames:
                found.setdefault(frame, []).append(f"{claim.name}: {judgement.verdict}")
        return found


def result_of(
    experiment: Experiment,
    whose: Whose,
    capture: bytes | None,
    events: tuple[Event, ...],
    network: str = "own",
    why: str = "",
) -> Result:
    """Judge what was captured and said.

    :raises BadBundle: the capture is none, or far too long.
    """
    plan, parameters = experiment.planned(whose)
    evidence = analysed(None if capture is None else [capture], plan.roles, events)
    judged = tuple((claim, claim.judged(evidence)) for claim in plan.claims)
    return Result(experiment, whose, plan, parameters, capture, evidence, judged, network, why)
