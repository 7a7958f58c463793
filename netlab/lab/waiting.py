"""Glue: how long a step of an experiment may take."""

from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred

from netlab.lab.errors import CannotRun


@frozen
class Patience:
    """So many ``seconds`` of ``clock``; ``complaint`` says what did not happen."""

    clock: Any
    seconds: float
    complaint: str

    def on(self, awaited: Deferred[None]) -> Deferred[None]:
        """``awaited``, which fails with `CannotRun` when time is over."""

        def late(_result: object, seconds: float) -> None:
            raise CannotRun(f"{self.complaint} in {seconds:g} s")

        return awaited.addTimeout(self.seconds, self.clock, late)
