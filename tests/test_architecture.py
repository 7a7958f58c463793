"""The walls of the design stand: what each file may import, what it may hold, how long it may be.

The rules are in `tests/walls/rules.py`, with the tables that they go by. They read the code and import
none of it.
"""

import ast
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

from tests.walls import rules
from tests.walls.source import Tree

ROOT = Path(__file__).resolve().parent.parent

Rule = Callable[[Tree], list[rules.Breach]]


class WallTests(SynchronousTestCase):
    """netlab as it is keeps every rule."""

    def setUp(self) -> None:
        """Read the project."""
        self.tree = Tree.read(ROOT)

    def holds(self, rule: Rule) -> None:
        """Fail with every breach of `rule`, a line each."""
        breaches = sorted(rule(self.tree))
        self.assertFalse(breaches, "\n" + "\n".join(map(str, breaches)))

    def test_reads_something(self) -> None:
        """A walk that finds no file would find every wall standing."""
        self.assertIn("netlab", self.tree.sources)

    def test_cores_are_pure(self) -> None:
        """A protocol's rules do no I/O and read no clock, so bytes and a time are all their tests need."""
        self.holds(rules.impurities)

    def test_commands_start_fast(self) -> None:
        """`netlab --help` and the small commands don't pay for Twisted's or rich's import."""
        self.holds(rules.slow_commands)

    def test_one_direction(self) -> None:
        """The order is common <- calc, upper, web, watchdog <- icmp, proxy <- trace <- lab <- cli."""
        self.holds(rules.wrong_directions)

    def test_no_cycles(self) -> None:
        """Any file can be read, and imported, before those that use it."""
        self.holds(rules.cycles)

    def test_nothing_runs_what_a_peer_sent(self) -> None:
        """No pickle, eval or import by name is there to be reached by a peer's bytes."""
        self.holds(rules.unsafe_loading)

    def test_inits_are_quiet(self) -> None:
        """Code is found in the file that is named for it, not in an `__init__.py`."""
        self.holds(rules.busy_inits)

    def test_everything_public_is_explained(self) -> None:
        """Every module, public class and public function says what it is for."""
        self.holds(rules.undocumented)

    def test_one_role_a_file(self) -> None:
        """Files and functions stay short enough to have one role."""
        self.holds(rules.too_long)

    def test_exceptions_are_needed(self) -> None:
        """An exception goes when its reason goes, and it has a reason."""
        self.holds(rules.stale_exceptions)
        self.assertTrue(all(rules.EXCEPTIONS.values()))


class RuleTests(SynchronousTestCase):
    """Each rule finds what is planted for it, and lets its innocent neighbour be."""

    def finds(self, rule: Rule, texts: dict[str, str], *expected: str) -> None:
        """`rule` reports the `expected` places, as path:line, in a tree made of `texts`, and no other."""
        breaches = sorted(rule(Tree.of({path: dedent(text) for path, text in texts.items()})))
        self.assertEqual([f"{breach.path}:{breach.line}" for breach in breaches], sorted(expected))

    def test_impure_imports(self) -> None:
        """However it is spelt and wherever it is, a pure file's import of a clock or a transport is found."""
        core = """\
            import time
            from os import path
            from http import client
            def late():
                from twisted.internet import defer
            try:
                import json
            except ImportError:
                import ssl
            """
        places = [f"netlab/calc/header.py:{line}" for line in (1, 2, 3, 5, 9)]
        self.finds(rules.impurities, {"netlab/calc/header.py": core, "netlab/calc/tap.py": core}, *places)

    def test_impure_by_way_of_glue(self) -> None:
        """A pure file that imports a glue file imports Twisted after all."""
        texts = {
            "netlab/calc/__init__.py": "",
            "netlab/calc/server.py": "from . import header",
            "netlab/calc/header.py": "from .server import Server\nfrom . import steps",
            "netlab/calc/steps.py": "from netlab.calc import server",
        }
        self.finds(rules.impurities, texts, "netlab/calc/header.py:1", "netlab/calc/steps.py:1")

    def test_impure_calls(self) -> None:
        """A pure file has no use for `print`; a method of that name is another thing."""
        texts = {"netlab/trace/a.py": "print(1)\nreport.print()\nshow = print"}
        self.finds(rules.impurities, texts, "netlab/trace/a.py:1", "netlab/trace/a.py:3")

    def test_slow_commands(self) -> None:
        """A slow import counts at the top, also if another of our files has it, but not in a function."""
        texts = {
            "netlab/cli/main.py": """\
                from typing import TYPE_CHECKING
                import rich.table
                from netlab.calc import client
                if TYPE_CHECKING:
                    import jinja2
                def run():
                    from twisted.internet import reactor
                """,
            "netlab/calc/client.py": "from twisted.internet import defer",
        }
        self.finds(rules.slow_commands, texts, "netlab/cli/main.py:2", "netlab/cli/main.py:3")

    def test_directions(self) -> None:
        """Neighbours, packages further on and packages nobody ranked are all found."""
        texts = {
            "netlab/common/a.py": "import netlab.calc.a",
            "netlab/calc/a.py": "import netlab.common.a, netlab.web.a",
            "netlab/web/a.py": "from netlab import __version__",
            "netlab/web/server.py": "",
            "netlab/proxy/a.py": "from ..calc import a",
            "netlab/trace/a.py": "def later():\n    from netlab.web import server, a",
            "netlab/odd/a.py": "",
            "netlab/__init__.py": "",
        }
        expected = ["netlab/common/a.py:1", "netlab/calc/a.py:1", "netlab/trace/a.py:2", "netlab/odd/a.py:1"]
        self.finds(rules.wrong_directions, texts, *expected)

    def test_cycles(self) -> None:
        """A ring of three is found once; one that is closed inside a function is none."""
        texts = {
            "netlab/calc/a.py": "from netlab.calc import b",
            "netlab/calc/b.py": "import netlab.calc.c",
            "netlab/calc/c.py": "from . import a",
            "netlab/web/a.py": "from . import b",
            "netlab/web/b.py": "def later():\n    from . import a",
        }
        self.finds(rules.cycles, texts, "netlab/calc/c.py:1")

    def test_unsafe_loading(self) -> None:
        """Ways to run data are found in glue too."""
        text = "from pickle import loads\nimport ast\nast.literal_eval('1')\neval('1')"
        expected = ["netlab/calc/server.py:1", "netlab/calc/server.py:4"]
        self.finds(rules.unsafe_loading, {"netlab/calc/server.py": text}, *expected)

    def test_busy_inits(self) -> None:
        """A constant in an `__init__.py` is found; what belongs there is not."""
        text = '"""Words."""\nfrom .a import b\n__all__ = ["b"]\n__version__ = "1"\nLIMIT = 1'
        self.finds(rules.busy_inits, {"netlab/__init__.py": text}, "netlab/__init__.py:5")

    def test_undocumented(self) -> None:
        """Public things without a docstring are found, in classes too; private ones may do without."""
        text = '''\
            class A:
                """Words."""
                def b(self): ...
                def _c(self): ...
            def _d(): ...
            async def e(): ...
            '''
        expected = [f"netlab/calc/a.py:{line}" for line in (1, 3, 6)]
        self.finds(rules.undocumented, {"netlab/calc/a.py": text}, *expected)

    def test_too_long(self) -> None:
        """Length is counted without the docstring for a function, with everything for a file."""
        most = "\n".join(["def a():", '    """Words,', '    more."""', *["    b()"] * 39])
        texts = {
            "netlab/calc/a.py": most,
            "netlab/calc/b.py": most + "\n    c()",
            "netlab/calc/c.py": "\n" * 301,
        }
        self.finds(rules.too_long, texts, "netlab/calc/b.py:1", "netlab/calc/c.py:301")

    def test_exceptions(self) -> None:
        """An exception lets its file have its module, and is stale without it."""
        self.patch(rules, "EXCEPTIONS", {("netlab/calc/a.py", "time"): "to show that it works"})
        self.finds(rules.impurities, {"netlab/calc/a.py": "from time import monotonic"})
        self.finds(rules.stale_exceptions, {"netlab/calc/a.py": "from time import monotonic"})
        self.finds(rules.stale_exceptions, {"netlab/calc/a.py": ""}, "netlab/calc/a.py:1")


class PluginFileTests(SynchronousTestCase):
    """`twisted/plugins/` holds one file of ours, and that says nothing but names."""

    def test_only_our_file(self) -> None:
        """An `__init__.py` here would hide Twisted's own package; a `netlab.py` would be taken for ours."""
        found = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "twisted").rglob("*.py"))
        self.assertEqual(found, ["twisted/plugins/netlab_plugins.py"])

    def test_strings_only(self) -> None:
        """A line a daemon, so that listing the daemons imports none of them; and each is there."""
        text = (ROOT / "twisted/plugins/netlab_plugins.py").read_text("utf-8")
        for statement in ast.parse(text).body[2:]:
            self.assertIsInstance(statement, ast.Assign)
            assert isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
            name, module, description, tapname = map(ast.literal_eval, statement.value.args)
            self.assertEqual(name, tapname)
            self.assertTrue(tapname.startswith("netlab-"), tapname)
            self.assertTrue(description.endswith("."), description)
            self.assertTrue((ROOT / (module.replace(".", "/") + ".py")).is_file(), f"no {module}")
