"""Glue: the steps of an experiment, made in order, while everything is captured."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.logger import eventsFromJSONLogFile, formatEvent

from netlab.lab.errors import CannotRun
from netlab.lab.events import LOG, MAX_EVENTS, STEP
from netlab.lab.experiment import Plan
from netlab.lab.network import FarMachine
from netlab.lab.programs import PATIENCE, Daemon, Program, Record, browser, start
from netlab.lab.steps import Browse, Cut, Heed, Join, Pause, Run, Serve, Step, Stop, shell_lines
from netlab.trace.capturing.dumpcap import Dumpcap, filter_text
from netlab.trace.capturing.errors import NoRightToCapture
from netlab.trace.capturing.output_file import OutputFile
from netlab.trace.capturing.packet_socket import PacketSocket
from netlab.trace.capturing.session import Session
from netlab.trace.capturing.source import Source

_SECOND = 1_000_000_000
#: Seconds for the kernel's last acknowledgments to be on their way.
_SETTLED = 0.15
#: Of a browser: no screen, nothing of its own to fetch, and no sandbox, which it cannot have everywhere.
_BROWSING = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-breakpad", "--disable-extensions"),
    *("--no-first-run", "--no-default-browser-check"),
)


class Stage:
    """One run of a plan; ``told`` is called with each step as it begins."""

    def __init__(self, reactor: Any, plan: Plan, far: FarMachine | None, told: Callable[[int, str], None]) -> None:
        self._reactor = reactor
        self._plan = plan
        self._far = far
        self._told = told
        self._programs: dict[str, Program] = {}
        self._allowed: dict[str, tuple[int, ...]] = {}
        self._failures: list[Exception] = []
        self.record = Record()

    async def play(self, out: OutputFile | None) -> Mapping[str, Any]:
        """Run everything and write the capture to ``out``, `None` to capture nothing; how the capture went.

        :raises CannotRun: a step failed. What was begun has ended then, too.
        """
        lines = shell_lines(self._plan.steps)
        with tempfile.TemporaryDirectory(prefix="netlab-lab-") as folder:
            session, why = self._capture(out)
            try:
                for number, (step, line) in enumerate(zip(self._plan.steps, lines, strict=True)):
                    self._told(number, line)
                    self.record.add("lab", STEP, line)
                    await self._make(step, Path(folder))
                await deferLater(self._reactor, _SETTLED)
            finally:
                await self.end()
                summary = await session.finish() if session is not None else None
                self._read_logs(Path(folder))
        if self._failures:
            raise CannotRun(f"the capture failed: {self._failures[0]}")
        if summary is None:
            return {"captured": False, "why": why}
        return {"captured": True, "packets": summary.packets, "dropped": summary.dropped}

    async def end(self) -> None:
        """End every program that still runs: those that were started last first, by force if they will not."""
        for program in reversed(self._programs.values()):
            program.tell(SIGTERM)
        await gatherResults([Deferred.fromCoroutine(_gone(program)) for program in self._programs.values()])

    def _capture(self, out: OutputFile | None) -> tuple[Session | None, str]:
        if out is None:
            return None, "it was told not to"
        interface = "any" if self._plan.far else "lo"
        ports = sorted(self._plan.roles)
        try:
            source = _source(interface, ports, self._plan.icmp)
        except NoRightToCapture as error:
            return None, str(error)
        wanted = filter_text(ports, icmp=self._plan.icmp)
        session = Session(self._reactor, interface, wanted, [out], self._failures.append)
        session.start(source)
        return session, ""

    async def _make(self, step: Step, folder: Path) -> None:
        match step:
            case Serve(name, daemon, options):
                log = ("--log-json", str(folder / f"{name}.json"))
                words = ("twistd", "-n", f"--pidfile={folder / name}.pid", daemon, *options, *log)
                await self._started(Daemon(name, self.record, self._reactor), words, folder).says("listens on")
            case Run(name, words, codes, background):
                program = self._started(Program(name, self.record, self._reactor), words, folder)
                self._allowed[name] = codes
                if not background:
                    await self._ended(program)
            case Browse(name, url, words):
                path = browser()
                if path is not None:
                    words = (path, *_BROWSING, f"--user-data-dir={folder / name}", "--dump-dom", url)
                await self._ended(self._started(Program(name, self.record, self._reactor), words, folder))
            case Join(name):
                await self._ended(self._program(name))
            case Stop(name):
                self._program(name).tell(SIGTERM)
                await self._program(name).ends(PATIENCE)
            case Heed(name, text, times):
                await self._program(name).says(text, times)
            case Pause(seconds):
                await deferLater(self._reactor, seconds)
            case Cut():
                if self._far is None:
                    raise CannotRun("there is no link to take down here")
                self._far.cut()

    def _started(self, program: Program, words: Sequence[str], folder: Path) -> Program:
        if program.name in self._programs:
            raise CannotRun(f"two steps start a program that is called {program.name!r}")
        start(self._reactor, program, words, folder)
        self._programs[program.name] = program
        return program

    async def _ended(self, program: Program) -> None:
        code = await program.ends()
        allowed = self._allowed.get(program.name, (0,))
        if code not in allowed:
            raise CannotRun(f"{program.name} ended with {code}: {program.last_words}")

    def _program(self, name: str) -> Program:
        if name not in self._programs:
            raise CannotRun(f"no program that is called {name!r} was started")
        return self._programs[name]

    def _read_logs(self, folder: Path) -> None:
        """Take over what the daemons logged, at its own times."""
        for path in sorted(folder.glob("*.json")):
            with path.open(encoding="utf-8", errors="replace") as file:
                for count, event in enumerate(eventsFromJSONLogFile(file, recordSeparator="", bufferSize=1 << 16)):
                    if count >= MAX_EVENTS:
                        break
                    self.record.add(path.stem, LOG, formatEvent(event), round(event["log_time"] * _SECOND))


def _source(interface: str, ports: Sequence[int], icmp: bool) -> Source:
    """The kernel itself, or else Wireshark's dumpcap.

    :raises NoRightToCapture: this user may use neither.
    """
    try:
        return PacketSocket(interface, ports, icmp)
    except NoRightToCapture:
        return Dumpcap(interface, ports, icmp)


async def _gone(program: Program) -> None:
    """Wait until it has ended, by force in the end; what even so does not end is left to who started this process."""
    try:
        await program.ends(PATIENCE / 3)
    except CannotRun:
        program.tell(SIGKILL)
        with suppress(CannotRun):
            await program.ends(PATIENCE / 3)
