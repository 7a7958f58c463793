"""An experiment: a title, a story, what to run, and what must be seen."""

from collections.abc import Callable, Mapping

from attrs import field, frozen

from netlab.lab.claim import Claim
from netlab.lab.draw import Draw, Value, Whose
from netlab.lab.steps import Step
from netlab.trace.words.sentence import Sentence


@frozen
class Plan:
    """An experiment with its parameters.

    ``roles`` name what listens on the ports of TCP that are captured, ``icmp`` captures echoes as well. ``kernel`` are
    settings under /proc/sys/net that its own network gets. ``far`` is whether it needs a machine beyond a cable
    (`netlab.lab.steps.FAR`), which only a network of its own can have.
    """

    roles: Mapping[int, str]
    story: tuple[Sentence, ...]
    steps: tuple[Step, ...]
    claims: tuple[Claim, ...]
    icmp: bool = False
    kernel: Mapping[str, str] = field(factory=dict)
    far: bool = False


@frozen
class Experiment:
    """``plan`` gives the rest for drawn parameters; it opens nothing, and gives the same for the same."""

    name: str
    title: Sentence
    plan: Callable[[Draw], Plan]

    def planned(self, whose: Whose) -> tuple[Plan, Mapping[str, Value]]:
        """The plan for somebody, and the parameters that were drawn for it."""
        draw = Draw(self.name, whose)
        return self.plan(draw), draw.values
