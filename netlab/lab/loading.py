"""Glue: finding experiments, in netlab itself and in a folder of the user's own.

A file of the user's own is run as any program that they start; nothing else is ever loaded from anywhere.
"""

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from netlab.lab.errors import NoExperiment
from netlab.lab.experiment import Experiment

OURS = Path(__file__).parent / "experiments"
_PACKAGE = "netlab.lab.experiments"

#: The order in which they are taught; others follow by name.
_ORDER = ["tcp", "calc", "web", "ping", "watchdog"]


def experiments(folder: str | None = None) -> dict[str, Experiment]:
    """All experiments by name, those of ``folder`` after ours; one of the same name takes our place.

    :raises NoExperiment: the folder cannot be read, or a file in it is no experiment.
    """
    known = {one.name: one for one in map(_ours, sorted(OURS.glob("[a-z]*.py")))}
    ordered = dict(sorted(known.items(), key=lambda item: _rank(item[0])))
    for one in _in(Path(folder)) if folder is not None else ():
        ordered[one.name] = one
    return ordered


def _rank(name: str) -> tuple[int, str]:
    first = name.partition("-")[0]
    return _ORDER.index(first) if first in _ORDER else len(_ORDER), name


def _ours(path: Path) -> Experiment:
    experiment: Experiment = importlib.import_module(f"{_PACKAGE}.{path.stem}").EXPERIMENT
    return experiment


def _in(folder: Path) -> Iterator[Experiment]:
    if not folder.is_dir():
        raise NoExperiment(f"{folder} is no folder of experiments")
    for path in sorted(folder.glob("[a-z]*.py")):
        yield _from(path)


def _from(path: Path) -> Experiment:
    spec = importlib.util.spec_from_file_location(f"netlab_lab_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise NoExperiment(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        found = module.EXPERIMENT
    except Exception as error:
        raise NoExperiment(f"{path} is no experiment: {type(error).__name__}: {error}") from None
    if not isinstance(found, Experiment):
        raise NoExperiment(f"{path}: its EXPERIMENT is a {type(found).__name__}, and no Experiment")
    return found
