"""What ``netlab lab`` shows of experiments that are not run."""

from collections.abc import Iterator, Mapping
from textwrap import wrap

from netlab.lab.draw import Whose
from netlab.lab.experiment import Experiment
from netlab.lab.steps import shell_lines
from netlab.trace.words.language import Language
from netlab.trace.words.sentence import Sentence

_WIDTH = 100


def listed(known: Mapping[str, Experiment]) -> Iterator[str]:
    """A line for each experiment."""
    width = max(map(len, known), default=0)
    for name, one in known.items():
        yield f"{name:<{width}}  {plain(one.title)}"


def shown(experiment: Experiment, whose: Whose, language: Language) -> Iterator[str]:
    """Story, steps and claims."""
    plan, parameters = experiment.planned(whose)
    yield f"{experiment.name}: {language.say(experiment.title)}"
    for sentence in plan.story:
        yield from _wrapped(language.say(sentence))
    yield ""
    for line in shell_lines(plan.steps):
        yield language.isolated(f"  $ {line}")
    yield ""
    for claim in plan.claims:
        yield from wrap(
            f"{claim.name}: {language.say(claim.text)}", _WIDTH, initial_indent="  - ", subsequent_indent="    "
        )
    if whose.is_personal:
        yield ""
        for name, value in parameters.items():
            yield language.isolated(f"  {name} = {value}")


def plain(sentence: Sentence) -> str:
    """A sentence of ours without values, in English."""
    return sentence.message


def _wrapped(text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")
