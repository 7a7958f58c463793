"""Glue: the process in which one experiment runs, in a network of its own where it can.

``python -m netlab.lab.bench WISH`` is started by `netlab.lab.bench_process`, with a wish in JSON. It says each step
as a line, and in the end how it went; it ends what it began when its standard input does, so that nothing outlives who
asked.
"""

import json
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from netlab.common.errors import NetlabError
from netlab.lab import events
from netlab.lab.draw import Whose
from netlab.lab.experiment import Plan
from netlab.lab.loading import experiments
from netlab.lab.network import FarMachine, enter

CAPTURE, EVENTS = "capture.pcapng", "events.jsonl"
#: What a line begins with that tells of a step, and what the last line begins with.
STEP, DONE = "step ", "done "


def main() -> None:
    """Run the experiment that the first argument asks for."""
    wish = json.loads(sys.argv[1])
    print(DONE + json.dumps(_outcome(wish)), flush=True)


def _outcome(wish: Mapping[str, Any]) -> dict[str, Any]:
    try:
        experiment = experiments(wish["from"])[wish["name"]]
        plan, _ = experiment.planned(Whose(wish["student"], wish["seed"], wish["quick"]))
        own = not wish["machine"] and enter(plan.kernel)
        if not own and not wish["machine"]:
            # What was tried may have been done in part: only another process is surely in the machine's network.
            return {"refused": True}
        if plan.far and not own:
            return {"skipped": "it needs a network of its own, and has none here"}
        far = FarMachine() if plan.far else None
        return {"network": "own" if own else "machine", **_play(plan, far, Path(wish["folder"]), wish["capture"])}
    except NetlabError as error:
        return {"failed": str(error)}


def _play(plan: Plan, far: FarMachine | None, folder: Path, may_capture: bool) -> Mapping[str, Any]:
    """Run the reactor until the plan has been played, and write what was seen into ``folder``."""
    from twisted.internet import reactor as global_reactor
    from twisted.internet.defer import Deferred
    from twisted.logger import globalLogBeginner
    from twisted.python.failure import Failure

    from netlab.lab.lifeline import Lifeline
    from netlab.lab.stage import Stage
    from netlab.trace.capturing.output_file import OutputFile

    reactor: Any = global_reactor
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    outcomes: list[Any] = []

    def finish(outcome: object) -> None:
        outcomes.append(outcome)
        if reactor.running:
            reactor.stop()

    stage = Stage(reactor, plan, far, lambda number, line: print(f"{STEP}{number} {line}", flush=True))
    with closing(OutputFile(str(folder / CAPTURE))) as out:
        reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(stage.end()))
        reactor.callWhenRunning(Lifeline(reactor, sys.stdin.fileno()).watch)
        reactor.callWhenRunning(
            lambda: Deferred.fromCoroutine(stage.play(out if may_capture else None)).addBoth(finish)
        )
        reactor.run()
    (folder / EVENTS).write_text(events.written(stage.record.events), "utf-8")
    if not outcomes:
        return {"failed": "it was interrupted"}
    if isinstance(outcomes[0], Failure):
        outcomes[0].trap(NetlabError)
        return {"failed": str(outcomes[0].value)}
    return dict(outcomes[0])


if __name__ == "__main__":
    main()
