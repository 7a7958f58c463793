"""The manifest of a bundle: what was run, for whom, by what, and the SHA-256 of each file."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from attrs import frozen

from netlab.lab.claim import VERDICTS
from netlab.lab.draw import MAX_SEED, MAX_STUDENT, BadStudent, Whose, student_id
from netlab.lab.errors import BadBundle
from netlab.lab.result import Result
from netlab.lab.steps import shell_lines

SCHEMA = "netlab-lab/1"
MANIFEST, CAPTURE, EVENTS, REPORT, MARKDOWN = (
    "manifest.json",
    "capture.pcapng",
    "events.jsonl",
    "report.html",
    "report.md",
)
#: What a bundle may have besides its manifest, and how many bytes of each anybody has to read.
LIMITS = {CAPTURE: 64 << 20, EVENTS: 32 << 20, REPORT: 32 << 20, MARKDOWN: 32 << 20, MANIFEST: 1 << 20}


@frozen
class Versions:
    """By what a bundle was made."""

    netlab: str
    python: str
    system: str


def manifest_text(result: Result, lang: str, versions: Versions, files: Mapping[str, bytes]) -> str:
    """The text of ``manifest.json``."""
    value = {
        "schema": SCHEMA,
        "experiment": result.experiment.name,
        "title": result.experiment.title.message,
        "student": result.whose.student,
        "seed": result.whose.seed,
        "quick": result.whose.quick,
        "parameters": dict(result.parameters),
        "commands": commands(result),
        "network": result.network,
        "captured": result.capture is not None,
        "why": result.why,
        "packets": len(result.evidence.packets),
        "claims": [
            {"name": claim.name, "verdict": judged.verdict, "frames": list(judged.frames)}
            for claim, judged in result.judged
        ],
        "lang": lang,
        "versions": {"netlab": versions.netlab, "python": versions.python, "system": versions.system},
        "files": {name: sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def commands(result: Result) -> list[str]:
    """What was run, a line each."""
    return shell_lines(result.plan.steps)


@frozen
class Manifest:
    """A manifest that was read; it is a stranger's, and only its form has been looked at."""

    experiment: str
    whose: Whose
    parameters: Mapping[str, Any]
    commands: tuple[str, ...]
    network: str
    captured: bool
    why: str
    packets: int
    claims: Mapping[str, str]
    lang: str
    versions: Versions
    files: Mapping[str, str]


def read_manifest(data: bytes) -> Manifest:
    """The manifest of a bundle.

    :raises BadBundle: it is none.
    """
    try:
        value = json.loads(data.decode("utf-8"))
        if value["schema"] != SCHEMA:
            raise BadBundle(f"manifest.json is of another kind: {str(value['schema'])[:40]!r}, not {SCHEMA}")
        return _manifest(value)
    except (ValueError, BadStudent, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise BadBundle(f"manifest.json is no manifest of netlab lab ({type(error).__name__})") from None


def _manifest(value: Mapping[str, Any]) -> Manifest:
    whose = Whose(_student(value["student"]), _whole(value["seed"]), _truth(value["quick"]))
    versions = value["versions"]
    verdicts = {_text(one["name"]): _text(one["verdict"]) for one in value["claims"]}
    if not set(verdicts.values()) <= set(VERDICTS):
        raise ValueError("an unknown verdict")
    return Manifest(
        experiment=_text(value["experiment"]),
        whose=whose,
        parameters={_text(name): _parameter(one) for name, one in value["parameters"].items()},
        commands=tuple(_text(line, 4_096) for line in value["commands"]),
        network=_text(value["network"]),
        captured=_truth(value["captured"]),
        why=_text(value["why"], 4_096),
        packets=_whole(value["packets"]),
        claims=verdicts,
        lang=_text(value["lang"], 8),
        versions=Versions(*(_text(versions[name]) for name in ("netlab", "python", "system"))),
        files={_text(name): _text(digest) for name, digest in value["files"].items()},
    )


def _text(value: object, most: int = 200) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError("no short text")
    value.encode()  # half a character, as JSON may have it, is no text
    return value


def _student(value: object) -> str:
    text = _text(value, MAX_STUDENT)
    if student_id(text) != text:
        raise ValueError("no ID as it is hashed")
    return text


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SEED:
        raise ValueError("no whole number")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _parameter(value: object) -> object:
    if not isinstance(value, int | float | str) or len(str(value)) > 1_000:
        raise ValueError("no parameter")
    return value
