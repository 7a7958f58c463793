"""The walls of the design: each rule takes a `Tree` and returns its `Breach`es, none if the wall stands.

What the rules go by is in the tables at the top, exceptions and their reasons included.
"""

import ast
from collections.abc import Iterator

from attrs import frozen

from tests.walls.source import Function, Import, Source, Tree

# A package may import itself and those of a lower rank; those of equal rank don't know each other.
RANKS = {
    "common": 0,
    "calc": 1,
    "upper": 1,
    "web": 1,
    "watchdog": 1,
    "icmp": 2,  # it reports to a watchdog
    "proxy": 2,
    "trace": 3,
    "lab": 4,
    "cli": 5,
}

# What a pure file may not import: transports, processes, clocks, logs, entropy, the machine.
IMPURE = {
    *("select", "selectors", "socket", "socketserver", "ssl"),
    *("asyncio", "http.client", "http.server", "twisted", "txredisapi", "urllib.request"),
    *("concurrent", "multiprocessing", "os", "shutil", "signal", "subprocess", "tempfile", "threading"),
    *("datetime", "time"),
    *("logging", "syslog"),
    *("random", "secrets", "uuid"),
}
IMPURE_CALLS = {"input", "open", "print"}

# Slow to import (see docs/dependencies.md): a command imports these inside the function that needs them.
SLOW = {"asyncio", "jinja2", "matplotlib", "numpy", "rich", "scapy", "twisted"}

# Ways in for code that is data.
UNSAFE = {"_pickle", "cloudpickle", "code", "dill", "importlib", "marshal", "pickle", "runpy", "shelve"}
UNSAFE_CALLS = {"__import__", "eval", "exec"}

# (file, module or call): the reason why this file may have it all the same.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("netlab/lab/loading.py", "importlib"): "experiments are files, ours and those of a folder that the user names",
}

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40  # its docstring is not counted: words are welcome


@frozen(order=True)
class Breach:
    """A place where a rule is broken, and what is wrong there."""

    path: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


def _excused(source: Source, name: str) -> bool:
    """Whether the table of exceptions lets this file have `name`."""
    return (source.path, name) in EXCEPTIONS


def _within(target: str, names: set[str]) -> str | None:
    """The one of `names` that `target` is, or is inside."""
    parts = target.split(".")
    prefixes = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return min(prefixes & names, default=None)


def _calls(source: Source, names: set[str]) -> Iterator[tuple[str, int]]:
    """Where a built-in among `names` is named: called, or handed to something that may call it."""
    for node in ast.walk(source.syntax):
        if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load):
            yield node.id, node.lineno


def impurities(tree: Tree) -> list[Breach]:
    """Pure files that reach for a transport, a clock, a log, entropy, the machine, or glue that does."""
    breaches = []
    for source in filter(lambda source: source.is_pure, tree):
        for found in source.imports:
            name = _within(found.target, IMPURE)
            if name and not _excused(source, name):
                breaches.append(Breach(source.path, found.line, f"a pure file imports {found.target}"))
            ours = tree.ours(found)
            if ours and ours.is_glue:
                breaches.append(Breach(source.path, found.line, f"a pure file imports the glue {ours.path}"))
        for name, line in _calls(source, IMPURE_CALLS):
            if not _excused(source, name):
                breaches.append(Breach(source.path, line, f"a pure file uses {name}"))
    return breaches


def slow_commands(tree: Tree) -> list[Breach]:
    """Files of the command line that import something slow, directly or not, before they know what to do."""
    breaches = []
    for source in filter(lambda source: source.is_command, tree):
        for found in source.imports:
            chain = _way_to_slow(tree, found, set())
            if chain:
                problem = "not inside the function that needs it, imports " + " -> ".join(chain)
                breaches.append(Breach(source.path, found.line, problem))
    return breaches


def _way_to_slow(tree: Tree, found: Import, seen: set[str]) -> list[str]:
    """The imports that lead from a file's top to something slow; empty if none does."""
    if not found.at_top or found.typing_only or found.target in seen:
        return []
    seen.add(found.target)
    if _within(found.target, SLOW):
        return [found.target]
    ours = tree.ours(found)
    for deeper in ours.imports if ours else []:
        chain = _way_to_slow(tree, deeper, seen)
        if chain:
            return [found.target, *chain]
    return []


def wrong_directions(tree: Tree) -> list[Breach]:
    """Imports that go against the order of the packages, and `trace` taking more than the pure wire files."""
    breaches = []
    for source in tree:
        if source.package not in RANKS:
            if source.module != "netlab":
                breaches.append(Breach(source.path, 1, f"the package {source.package!r} has no rank"))
            continue
        for found in source.imports:
            ours = tree.ours(found)
            if ours is None or ours.package in {"", source.package}:
                continue
            if RANKS.get(ours.package, -1) >= RANKS[source.package]:
                problem = f"{source.package} may not import {ours.package}"
                breaches.append(Breach(source.path, found.line, problem))
            elif source.package == "trace" and ours.is_glue:
                breaches.append(Breach(source.path, found.line, f"trace may not import the glue {ours.path}"))
    return breaches


def cycles(tree: Tree) -> list[Breach]:
    """Files that import each other, at module level, directly or round about."""
    breaches = []
    finished: set[str] = set()

    def visit(source: Source, trail: list[str]) -> None:
        for found in source.imports:
            ours = tree.ours(found)
            if ours is None or not found.at_top or found.typing_only or ours.module in finished:
                continue
            if ours.module in trail:
                ring = [*trail[trail.index(ours.module) :], ours.module]
                breaches.append(Breach(source.path, found.line, "import cycle: " + " -> ".join(ring)))
            else:
                visit(ours, [*trail, ours.module])
        finished.add(source.module)

    for source in tree:
        if source.module not in finished:
            visit(source, [source.module])
    return breaches


def unsafe_loading(tree: Tree) -> list[Breach]:
    """Files that could run what a peer sent: pickle and its kin, `eval`, `exec`, imports by name."""
    breaches = []
    for source in tree:
        for found in source.imports:
            name = _within(found.target, UNSAFE)
            if name and not _excused(source, name):
                breaches.append(Breach(source.path, found.line, f"imports {found.target}"))
        for name, line in _calls(source, UNSAFE_CALLS):
            if not _excused(source, name):
                breaches.append(Breach(source.path, line, f"uses {name}"))
    return breaches


def busy_inits(tree: Tree) -> list[Breach]:
    """`__init__.py` files with more in them than a docstring, imports, `__all__` and `__version__`."""
    breaches = []
    for source in filter(lambda source: source.is_package, tree):
        for statement in source.syntax.body:
            match statement:
                case ast.Import() | ast.ImportFrom() | ast.Expr(ast.Constant()):
                    continue
                case ast.Assign([ast.Name("__all__" | "__version__")]):
                    continue
                case _:
                    breaches.append(Breach(source.path, statement.lineno, "an __init__.py holds code"))
    return breaches


def undocumented(tree: Tree) -> list[Breach]:
    """Modules, public classes, public functions and their public methods without a docstring."""
    breaches = []
    for source in tree:
        if not ast.get_docstring(source.syntax):
            breaches.append(Breach(source.path, 1, "the module has no docstring"))
        for name, node in _public(source.syntax.body, ""):
            if not ast.get_docstring(node):
                breaches.append(Breach(source.path, node.lineno, f"{name} has no docstring"))
    return breaches


def _public(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """The public classes and functions in `body`, by dotted name, less overloads, overrides and setters."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
            if not decorators & {"overload", "override", "setter"}:
                yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{prefix}{node.name}.")


def too_long(tree: Tree) -> list[Breach]:
    """Files and functions that have outgrown one role."""
    breaches = []
    for source in tree:
        count = len(source.text.splitlines())
        if count > MAX_FILE_LINES:
            breaches.append(Breach(source.path, count, f"{count} lines, {MAX_FILE_LINES} at most"))
        for node in ast.walk(source.syntax):
            if isinstance(node, Function):
                count = _length(node)
                if count > MAX_FUNCTION_LINES:
                    problem = f"{node.name} has {count} lines, {MAX_FUNCTION_LINES} at most"
                    breaches.append(Breach(source.path, node.lineno, problem))
    return breaches


def _length(node: Function) -> int:
    """A function's lines, less its docstring's."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None:
        return total
    return total - ((first.end_lineno or first.lineno) - first.lineno + 1)


def stale_exceptions(tree: Tree) -> list[Breach]:
    """Exceptions that nothing needs any more."""
    breaches = []
    for path, name in EXCEPTIONS:
        source = next((source for source in tree if source.path == path), None)
        used = source is not None and (
            any(_within(found.target, {name}) for found in source.imports) or any(_calls(source, {name}))
        )
        if not used:
            breaches.append(Breach(path, 1, f"the exception for {name} is not needed"))
    return breaches
