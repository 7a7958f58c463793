"""A source tree as the rules see it, read and not imported: each file's role, its syntax and its imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen

# Glue joins a core to a transport, a clock, a process. Every other file is pure.
GLUE_NAMES = {"server.py", "client.py", "tap.py"}
GLUE_FILES = {
    "netlab/common/addresses.py",
    "netlab/common/connecting.py",
    "netlab/common/daemon.py",
    "netlab/common/endpoints.py",
    "netlab/common/monotonic.py",
    "netlab/common/notify.py",
    "netlab/common/json_log.py",
    "netlab/common/prompt_write.py",
    "netlab/common/quiet_collector.py",
    "netlab/common/reaper.py",
    "netlab/common/serving.py",
    "netlab/common/serving_options.py",
    "netlab/common/slim_poll.py",
    "netlab/common/turns.py",
    "netlab/calc/connection.py",
    "netlab/calc/service.py",
    "netlab/calc/serving.py",
    "netlab/calc/serving_options.py",
    "netlab/upper/performing.py",
    "netlab/upper/plain_socket.py",
    "netlab/proxy/singleflight.py",
    "netlab/proxy/stores/base.py",
    "netlab/proxy/stores/batches.py",
    "netlab/proxy/stores/deadline.py",
    "netlab/proxy/stores/redis.py",
    "netlab/proxy/stores/redis_calls.py",
    "netlab/proxy/stores/redis_link.py",
    "netlab/proxy/stores/redis_protocol.py",
    "netlab/proxy/stores/sqlite.py",
    "netlab/proxy/stores/sqlite_file.py",
    "netlab/proxy/stores/sqlite_table.py",
    "netlab/proxy/stores/tiers.py",
    "netlab/proxy/stores/urls.py",
    "netlab/proxy/stores/worker.py",
    "netlab/proxy/cache.py",
    "netlab/proxy/control.py",
    "netlab/proxy/control_path.py",
    "netlab/proxy/control_socket.py",
    "netlab/proxy/services.py",
    "netlab/proxy/pool.py",
    "netlab/proxy/upstream.py",
    "netlab/proxy/upstream_connection.py",
    "netlab/icmp/pinger.py",
    "netlab/icmp/port.py",
    "netlab/icmp/reporting.py",
    "netlab/icmp/resolving.py",
    "netlab/icmp/service.py",
    "netlab/icmp/sockets.py",
    "netlab/watchdog/charge.py",
    "netlab/watchdog/child.py",
    "netlab/watchdog/command.py",
    "netlab/watchdog/companion.py",
    "netlab/watchdog/expiry.py",
    "netlab/watchdog/peers.py",
    "netlab/watchdog/pipes.py",
    "netlab/watchdog/processes.py",
    "netlab/watchdog/restart.py",
    "netlab/watchdog/started.py",
    "netlab/watchdog/supervisor.py",
    "netlab/web/access_file.py",
    "netlab/web/connection.py",
    "netlab/web/dispatch.py",
    "netlab/web/folder.py",
    "netlab/web/outbox.py",
    "netlab/web/service.py",
    "netlab/web/site.py",
    "netlab/lab/bench.py",
    "netlab/lab/bench_process.py",
    "netlab/lab/bundle.py",
    "netlab/lab/lifeline.py",
    "netlab/lab/loading.py",
    "netlab/lab/network.py",
    "netlab/lab/programs.py",
    "netlab/lab/report/page.py",
    "netlab/lab/stage.py",
    "netlab/lab/waiting.py",
    "netlab/lab/words/loading.py",
    "netlab/trace/capture.py",
    "netlab/common/namespace.py",
    "netlab/trace/capturing/child.py",
    "netlab/trace/capturing/dumpcap.py",
    "netlab/trace/capturing/live.py",
    "netlab/trace/capturing/output_file.py",
    "netlab/trace/capturing/packet_socket.py",
    "netlab/trace/capturing/session.py",
    "netlab/trace/capturing/socket_diag.py",
    "netlab/trace/capturing/socket_owners.py",
    "netlab/trace/opening.py",
    "netlab/trace/report/page.py",
    "netlab/trace/words/loading.py",
    "netlab/lab/runner.py",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@frozen
class Import:
    """One imported module: `at_top` if importing the file imports it, `typing_only` if just checkers do."""

    target: str
    line: int
    at_top: bool
    typing_only: bool


@frozen
class Source:
    """A parsed file; `path` is relative to the project, `module` is its dotted name."""

    path: str
    module: str
    text: str
    syntax: ast.Module
    imports: list[Import] = field(factory=list)

    @property
    def is_package(self) -> bool:
        """Whether this is an `__init__.py`."""
        return self.path.endswith("/__init__.py")

    @property
    def package(self) -> str:
        """The lab that this file belongs to, such as `calc`; empty for `netlab/__init__.py` itself."""
        parts = self.path.split("/")
        return parts[1] if len(parts) > 2 else ""

    @property
    def is_command(self) -> bool:
        """Whether this file is part of the command line."""
        return self.package == "cli"

    @property
    def is_glue(self) -> bool:
        """Whether this file may import Twisted."""
        return self.path in GLUE_FILES or self.path.rsplit("/", 1)[-1] in GLUE_NAMES

    @property
    def is_pure(self) -> bool:
        """Whether this file must do no I/O and read no clock."""
        return not self.is_glue and not self.is_command


@frozen
class Tree:
    """Every file of a package, by module name."""

    sources: dict[str, Source]

    @classmethod
    def read(cls, root: Path) -> "Tree":
        """Parse every Python file under `root`/netlab."""
        paths = sorted((root / "netlab").rglob("*.py"))
        return cls.of({path.relative_to(root).as_posix(): path.read_text("utf-8") for path in paths})

    @classmethod
    def of(cls, texts: dict[str, str]) -> "Tree":
        """Parse `texts`, from a path such as `netlab/calc/header.py` to that file's source."""
        names = {path: path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in texts}
        known = set(names.values())
        sources = {}
        for path, text in texts.items():
            syntax = ast.parse(text, path)
            base = names[path] if path.endswith("/__init__.py") else names[path].rpartition(".")[0]
            found = list(_imports(syntax.body, base, known, True, False))
            sources[names[path]] = Source(path, names[path], text, syntax, found)
        return cls(sources)

    def ours(self, found: Import) -> Source | None:
        """The file that is imported, or None if it is not one of ours."""
        return self.sources.get(found.target)

    def __iter__(self) -> Iterator[Source]:
        return iter(self.sources.values())


def _imports(body: list[ast.stmt], base: str, known: set[str], at_top: bool, typing_only: bool) -> Iterator[Import]:
    """Find the imports in `body`, however deep."""
    for statement in body:
        for target in _targets(statement, base, known):
            yield Import(target, statement.lineno, at_top, typing_only)
        deeper = at_top and not isinstance(statement, Function)
        checking = isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test)
        for name, inner in ast.iter_fields(statement):
            if isinstance(inner, list):
                nested = [node for part in inner for node in _statements(part)]
                yield from _imports(nested, base, known, deeper, typing_only or (checking and name == "body"))


def _statements(part: object) -> list[ast.stmt]:
    """The statements in one item of a node's list: itself, or those of an `except` or a `case`."""
    if isinstance(part, ast.stmt):
        return [part]
    if isinstance(part, ast.ExceptHandler | ast.match_case):
        return part.body
    return []


def _targets(statement: ast.stmt, base: str, known: set[str]) -> list[str]:
    """What an import statement names: our own modules as modules, `time.monotonic` where they are others'."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    if not isinstance(statement, ast.ImportFrom):
        return []
    source = statement.module or ""
    if statement.level:
        above = base.split(".")[: len(base.split(".")) - statement.level + 1]
        source = ".".join([*above, source] if source else above)
    inner = {f"{source}.{alias.name}" for alias in statement.names}
    foreign = source.partition(".")[0] != "netlab"
    return sorted({name if foreign or name in known else source for name in inner})
