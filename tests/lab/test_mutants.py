"""Experiments broken on purpose: the right claims are disproved, the others are not, and it is said why."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.claim import DISPROVED
from netlab.lab.words.loading import language
from tests.lab.bench import Done, run

#: A file of a user's own experiments: ours, with other words in its steps.
_FILE = '''"""A mutant."""

from attrs import evolve

from netlab.lab.experiment import Experiment
from netlab.lab.experiments.{module} import EXPERIMENT as OURS
from netlab.lab.steps import Run, Serve, Stop


def changed(step):
    {change}
    return step


def plan(draw):
    planned = OURS.plan(draw)
    return evolve(planned, steps=tuple(filter(None, map(changed, planned.steps))))


EXPERIMENT = Experiment(OURS.name, OURS.title, plan)
'''


@frozen
class Mutant:
    """What is changed in which experiment, and the claims that it disproves."""

    name: str
    change: str
    disproves: set[str]
    because: str


def _serving(*words: str) -> str:
    return f"if isinstance(step, Serve): return evolve(step, options=(*step.options, {', '.join(map(repr, words))}))"


def _asking(*words: str) -> str:
    return f"if isinstance(step, Run): return evolve(step, words=(*step.words, {', '.join(map(repr, words))}))"


MUTANTS = {
    "a proxy that never stores": Mutant(
        "calc-proxy",
        "if isinstance(step, Serve) and step.name == 'proxy': "
        "return evolve(step, options=(*step.options, '--max-entries', '0'))",
        {"path", "upstream", "quiet"},
        "The requests were: miss, miss, miss.",
    ),
    "a server that answers late": Mutant(
        "tcp-v4", _serving("--delay", "2.5"), {"delay", "late-fin"}, "It came after 2."
    ),
    "a client that closes politely": Mutant(
        "tcp-v3",
        _asking("--read-size", "20000", "--reads", "1", "--close", "half"),
        {"end"},
        "Both sides sent FIN. The client was first.",
    ),
    "a server that waits for the client": Mutant(
        "tcp-session",
        "if isinstance(step, Serve): return evolve(step, options=(*step.options, '--messages', '0'))\n"
        "    if isinstance(step, Run): return evolve(step, words=(*step.words, '--reads', 'enough'))",
        {"end"},
        "The client was first.",
    ),
    "a server that is not stopped": Mutant(
        "calc-outage",
        "if isinstance(step, Stop) and step.name == 'server': return None\n"
        "    if isinstance(step, Run): return evolve(step, codes=(0,))",
        {"path", "upstream", "refused", "error"},
        "The requests were: miss, hit, miss.",
    ),
    "a server that is impatient": Mutant("web-page", _serving("--idle-timeout", "0.3"), {"idle"}, "The server closed."),
    "a server with other bytes": Mutant(
        "web-image",
        "if isinstance(step, Serve): return evolve(step, options=(*step.options, '--root', {folder!r}))",
        {"bytes"},
        "Other bytes came for: /images/noise.png.",
    ),
    "a proxy that gives nothing stale": Mutant(
        "calc-freshness",
        "if isinstance(step, Serve) and step.name == 'proxy': return evolve(step, options=step.options[:-2])\n"
        "    if isinstance(step, Run): return evolve(step, codes=(0, 1))",
        {"decision-6", "max-age"},
        "The answer has status 500 and 170 bytes.",
    ),
    "a client that asks something else": Mutant(
        "calc-direct",
        "if isinstance(step, Run) and step.name == 'client-3': "
        "return evolve(step, words=(*step.words[:-1], 'max(2, 3) + 44'))",
        {"asked", "lengths"},
        "max(2, 3) + 44",
    ),
}


def _done(title: str) -> Done:
    mutant = MUTANTS[title]
    module = mutant.name.replace("-", "_")
    with TemporaryDirectory(prefix="netlab-mutant-") as folder:
        (Path(folder) / "site/images").mkdir(parents=True)
        (Path(folder) / "site/images/noise.png").write_bytes(b"noise")
        change = mutant.change.replace("{folder!r}", repr(f"{folder}/site"))
        (Path(folder) / f"{module}.py").write_text(_FILE.format(module=module, change=change))
        return run(mutant.name, folder=folder)


@cache
def mutants() -> dict[str, Done]:
    """All of them, run once, some side by side."""
    with ThreadPoolExecutor(3) as pool:
        return dict(zip(MUTANTS, pool.map(_done, MUTANTS), strict=True))


class MutantTests(SynchronousTestCase):
    """Each mutant."""

    def test_disproved(self) -> None:
        """Just the claims that the change concerns are disproved, each with a reason and frames."""
        words = language("en")
        for title, one in mutants().items():
            if one.ran.capture is None:
                self.skipTest(one.ran.why)
            reasons = {
                claim.name: words.say(judged.reason)
                for claim, judged in one.result.judged
                if judged.verdict == DISPROVED
            }
            self.assertEqual(set(reasons), MUTANTS[title].disproves, f"{title}: {reasons}")
            self.assertIn(MUTANTS[title].because, " ".join(reasons.values()), title)
