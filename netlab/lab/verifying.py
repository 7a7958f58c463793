"""Whether a bundle is what it says: its files, whose it is, its capture, and every claim judged again.

It works on bytes that were read within limits, and runs nothing: the plan of an experiment says what should have been
run, and only the microscope looks at what was captured.
"""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256

from attrs import frozen

from netlab import __version__
from netlab.lab import events
from netlab.lab.claim import DISPROVED, PROVED, UNTOLD
from netlab.lab.draw import Whose
from netlab.lab.errors import BadBundle
from netlab.lab.events import STEP, Event
from netlab.lab.experiment import Experiment
from netlab.lab.manifest import (
    CAPTURE,
    EVENTS,
    MANIFEST,
    MARKDOWN,
    REPORT,
    Manifest,
    commands,
    manifest_text,
    read_manifest,
)
from netlab.lab.result import Result, result_of
from netlab.trace.words.language import Language
from netlab.trace.words.sentence import Listing, Notation, Plain, Sentence, said

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
#: Seconds that packets may lie outside of what the programs logged.
_SLACK = 2_000_000_000
_LANGUAGES = ("en", "he")

Remade = Callable[[Result, str], Mapping[str, bytes]]


@frozen
class Wanted:
    """Whose a bundle has to be; `None` for anybody's.

    Who may choose the seed finds one by which an experiment with few parameters is a neighbour's, in seconds. So a
    student's has to be 0, unless another was given out.
    """

    student: str | None = None
    seed: int | None = None

    def is_met(self, whose: Whose) -> bool:
        """Whether it is theirs."""
        seed = 0 if self.seed is None and self.student is not None else self.seed
        return self.student in (None, whose.student) and seed in (None, whose.seed)


@frozen
class Check:
    """One thing that was looked at, its outcome, and the reason; a text is an error's."""

    name: str
    outcome: str
    reason: Sentence | str


@frozen
class Verified:
    """All checks of a bundle."""

    name: str
    checks: tuple[Check, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing failed."""
        return all(one.outcome != FAILED for one in self.checks)

    @property
    def skipped(self) -> list[str]:
        """The names of what could not be looked at."""
        return [one.name for one in self.checks if one.outcome == SKIPPED]

    def reasons(self, language: Language) -> list[str]:
        """Why it is not good."""
        failed = (one.reason for one in self.checks if one.outcome == FAILED)
        return [one if isinstance(one, str) else language.say(one) for one in failed]


def check(
    name: str, files: Mapping[str, bytes], known: Mapping[str, Experiment], wanted: Wanted, remade: Remade
) -> Verified:
    """Look at everything, as far as it can be looked at.

    :param wanted: whose it has to be.
    :param remade: makes the reports of a result anew, in a language.
    """
    checks: list[Check] = []
    try:
        checks.extend(_checks(files, known, wanted, remade))
    except BadBundle as error:
        checks.append(Check("bundle", FAILED, str(error)))
    return Verified(name, tuple(checks))


def _checks(
    files: Mapping[str, bytes], known: Mapping[str, Experiment], wanted: Wanted, remade: Remade
) -> Iterator[Check]:
    if MANIFEST not in files:
        raise BadBundle(f"there is no {MANIFEST}")
    manifest = read_manifest(files[MANIFEST])
    yield _files(files, manifest)
    yield _whose(manifest.whose, wanted)
    if manifest.experiment not in known:
        raise BadBundle(f"there is no experiment {manifest.experiment!r} here (--from FOLDER has others)")
    experiment = known[manifest.experiment]
    seen = tuple(events.read(files.get(EVENTS, b"").decode("utf-8", "replace")))
    capture = files.get(CAPTURE) if manifest.captured else None
    result = result_of(experiment, manifest.whose, capture, seen, manifest.network, manifest.why)
    yield _parameters(manifest, result)
    yield _capture(manifest, result)
    yield _clock(result, seen)
    yield from _claims(manifest, result)
    yield _reports(files, manifest, result, remade)
    yield _whole(files, manifest, result)


def _files(files: Mapping[str, bytes], manifest: Manifest) -> Check:
    """All files are there, no others, and none was changed."""
    expected = {EVENTS, REPORT, MARKDOWN} | ({CAPTURE} if manifest.captured else set())
    there = set(files) - {MANIFEST}
    if expected != there or expected != set(manifest.files):
        odd = sorted(expected ^ there | expected ^ set(manifest.files))
        return Check("files", FAILED, said("These files are missing, or too many: {names}.", names=_names(odd)))
    changed = sorted(name for name in there if sha256(files[name]).hexdigest() != manifest.files[name])
    if changed:
        return Check("files", FAILED, said("Changed since the report was made: {names}.", names=_names(changed)))
    return Check("files", PASSED, said("Each file has the SHA-256 of the manifest."))


def _names(names: list[str]) -> Listing:
    return Listing(tuple(names[:8]))


def _whose(whose: Whose, wanted: Wanted) -> Check:
    seed = Plain(whose.seed)
    reason = (
        said("It is of the student {student}, with seed {seed}.", student=whose.student, seed=seed)
        if whose.student
        else said("It is of no student, with seed {seed}.", seed=seed)
    )
    return Check("student", PASSED if wanted.is_met(whose) else FAILED, reason)


def _parameters(manifest: Manifest, result: Result) -> Check:
    """Parameters and commands are those that follow from the ID."""
    wrong = sorted(
        name
        for name in {*manifest.parameters, *result.parameters}
        if manifest.parameters.get(name) != result.parameters.get(name)
    )
    if wrong:
        reason = said("Not what follows from the student's ID and the seed: {names}.", names=_names(wrong))
        return Check("parameters", FAILED, reason)
    if list(manifest.commands) != commands(result):
        return Check("parameters", FAILED, said("The commands are not those of this experiment and ID."))
    return Check("parameters", PASSED, said("Parameters and commands follow from the ID and the seed."))


def _capture(manifest: Manifest, result: Result) -> Check:
    if not manifest.captured:
        return Check("capture", FAILED, said("Nothing was captured, so nothing is shown."))
    if result.capture is None:
        return Check("capture", FAILED, said("There is no capture."))
    if result.evidence.damage is not None:
        return Check("capture", FAILED, f"the capture is damaged: {result.evidence.damage.problem}")
    count = len(result.evidence.packets)
    reason = said("{count} packets were analysed again.", count=count)
    return Check("capture", PASSED if count == manifest.packets else FAILED, reason)


def _clock(result: Result, seen: tuple[Event, ...]) -> Check:
    """The packets lie in the time in which the programs ran, and the steps are those of the plan, which come first."""
    steps = [one.text for one in seen if one.kind == STEP]
    if steps != commands(result):
        return Check("events", FAILED, said("The steps in the events are not those of this experiment and ID."))
    if seen[:1] != tuple(one for one in seen if one.kind == STEP)[:1] or list(seen) != sorted(seen, key=_time):
        return Check("events", FAILED, said("The events are not in the order in which they are written."))
    times = [packet.time for packet in result.evidence.packets]
    first, last = min((one.time for one in seen), default=0), max((one.time for one in seen), default=0)
    if times and not (first - _SLACK <= min(times) and max(times) <= last + _SLACK):
        return Check("events", FAILED, said("The packets were not captured while the programs ran."))
    return Check("events", PASSED, said("Events and packets are of the same time."))


def _time(one: Event) -> int:
    return one.time


def _claims(manifest: Manifest, result: Result) -> Iterator[Check]:
    """Each claim of this experiment, judged again; the manifest has no others."""
    more = sorted(set(manifest.claims) - {claim.name for claim, _ in result.judged})
    if more:
        yield Check("claims", FAILED, said("This experiment does not claim: {names}.", names=_names(more)))
    for claim, judged in result.judged:
        outcome = {PROVED: PASSED, DISPROVED: FAILED, UNTOLD: FAILED if manifest.captured else SKIPPED}[judged.verdict]
        told = manifest.claims.get(claim.name)
        if told != judged.verdict:
            reason = said(
                "The manifest says {told}; judged again it is {verdict}: {reason}",
                told=Notation(str(told)),
                verdict=Notation(judged.verdict),
                reason=judged.reason,
            )
            yield Check(claim.name, FAILED, reason)
        else:
            yield Check(claim.name, outcome, said("{claim} {reason}", claim=claim.text, reason=judged.reason))


def _reports(files: Mapping[str, bytes], manifest: Manifest, result: Result, remade: Remade) -> Check:
    """The reports say what this capture gives; another version than the one that made them may word it otherwise."""
    if manifest.lang not in _LANGUAGES:
        return Check("reports", FAILED, said("No report is written in the language {lang}.", lang=manifest.lang))
    again = remade(result, manifest.lang)
    wrong = sorted(name for name, data in again.items() if files.get(name) != data)
    if not wrong:
        return Check("reports", PASSED, said("The reports are what the capture and the events give."))
    return _differs("reports", manifest, wrong)


def _whole(files: Mapping[str, bytes], manifest: Manifest, result: Result) -> Check:
    """The manifest has nothing but what follows from the files and the ID, in all that nobody else looks at, too."""
    others = {name: data for name, data in files.items() if name != MANIFEST}
    again = manifest_text(result, manifest.lang, manifest.versions, others).encode()
    if again == files[MANIFEST] and not (manifest.captured and manifest.why):
        return Check("manifest", PASSED, said("The manifest is what the other files give."))
    return _differs("manifest", manifest, [MANIFEST])


def _differs(name: str, manifest: Manifest, wrong: list[str]) -> Check:
    if manifest.versions.netlab == __version__:
        return Check(name, FAILED, said("These do not say what the capture gives: {names}.", names=_names(wrong)))
    reason = said(
        "Made by netlab {theirs}, and this is {ours}, which writes another {names}: look at what it says, or verify by "
        "that version.",
        theirs=manifest.versions.netlab,
        ours=__version__,
        names=_names(wrong),
    )
    return Check(name, SKIPPED, reason)
