"""What is built installs, is found by twistd and goes away again.

The source is copied out and built once, into a source archive and a wheel made from that archive, and one
fresh virtual environment takes turns with what is installed in it. This needs pip's index, and 20 seconds.
"""

import ast
import atexit
import functools
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.parts import missing, require_program

ROOT = Path(__file__).resolve().parent.parent
LEFT_BEHIND = (".*", "_trial_temp*", "__pycache__", "build", "dist", "dropin.cache", "*.egg-info")
IN_SOURCE_ARCHIVE = {
    *("LICENSE", "NEWS.md", "README.md", "pyproject.toml", "ruff.toml", "setup.cfg", "towncrier.toml"),
    *("netlab/trace/words/he.po", "netlab/trace/words/he.mo", "netlab/trace/report/page.css"),
    *("docs/dependencies.md", "netlab/py.typed", "scripts/_setup.sh", "scripts/test", "tests/parts.py"),
    "twisted/plugins/netlab_plugins.py",
}
NO_INDEX = re.compile("from versions: none|NewConnectionError|NameResolutionError")

Result = subprocess.CompletedProcess[str]


def run(*command: str | Path, cwd: Path, prefix: Sequence[str] = ()) -> Result:
    """Run a command with nothing of this process's Python in its environment; its output is in the result."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    words = [*prefix, *map(str, command)]
    return subprocess.run(
        words, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def build_step(*command: str | Path, cwd: Path) -> None:
    """Run a step that all the tests depend on; one that pip's index did not answer is a missing part."""
    result = run(*command, cwd=cwd)
    if result.returncode:
        output = result.stdout + result.stderr
        if NO_INDEX.search(output):
            missing("pip's index can't be reached")
        if "No module named build" in output:
            missing("build is not installed (it is in the dev extra)")
        raise AssertionError(f"{command} failed:\n{output}")


class Environment:
    """A fresh virtual environment, and a folder unrelated to the project to run its commands from."""

    def __init__(self) -> None:
        """Build the wheel and install it, with what it depends on."""
        self.top = Path(tempfile.mkdtemp(prefix="netlab-packaging-"))
        atexit.register(shutil.rmtree, self.top, ignore_errors=True)
        self.source, self.dist, self.elsewhere = (self.top / name for name in ("source", "dist", "elsewhere"))
        self.elsewhere.mkdir()
        shutil.copytree(ROOT, self.source, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        build_step(sys.executable, "-m", "build", "--outdir", self.dist, self.source, cwd=self.top)
        build_step(sys.executable, "-m", "venv", self.top / "venv", cwd=self.top)
        self.pip("install", next(self.dist.glob("*.whl")))
        self.installed = "wheel"

    def pip(self, *arguments: str | Path) -> None:
        """Run the environment's pip."""
        build_step(self.command("python"), "-m", "pip", *arguments, cwd=self.elsewhere)

    def command(self, name: str) -> Path:
        """The path of a command of the environment."""
        return self.top / "venv/bin" / name

    @property
    def packages(self) -> Path:
        """The environment's site-packages."""
        return next(self.top.glob("venv/lib/python*/site-packages"))

    def files(self) -> list[str]:
        """Every file and folder in the environment that has to do with netlab."""
        found = (path.relative_to(self.top).as_posix() for path in (self.top / "venv").rglob("*"))
        return sorted(path for path in found if "netlab" in path)

    def have(self, wanted: str) -> None:
        """Have netlab installed from its `wheel`, or as `editable`, or `none` of it."""
        if wanted == self.installed:
            return
        if self.installed != "none":
            self.pip("uninstall", "--yes", "netlab-daemons")
        if wanted == "wheel":
            self.pip("install", "--no-deps", next(self.dist.glob("*.whl")))
        elif wanted == "editable":
            self.pip("install", "--no-deps", "--editable", self.source)
        self.installed = wanted

    def twistd_help(self, prefix: Sequence[str] = ()) -> Result:
        """Run `twistd --help`, twice, since the first run may write the cache that the second reads."""
        run(self.command("twistd"), "--help", cwd=self.elsewhere, prefix=prefix)
        return run(self.command("twistd"), "--help", cwd=self.elsewhere, prefix=prefix)


@functools.cache
def environment() -> Environment | BaseException:
    """The one environment, or why there is none: what failed once is not tried again for each test."""
    try:
        return Environment()
    except (AssertionError, SkipTest) as reason:
        return reason


def daemons() -> list[str]:
    """The names of our daemons, as the plugin file has them."""
    text = (ROOT / "twisted/plugins/netlab_plugins.py").read_text("utf-8")
    return [ast.literal_eval(node.args[0]) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]


class PackagingTests(SynchronousTestCase):
    """An installed netlab, in the ways that people install it."""

    def setUp(self) -> None:
        """Build and install, the first time."""
        made = environment()
        if isinstance(made, BaseException):
            raise made
        self.environment = made

    def lists_daemons(self, result: Result) -> None:
        """`twistd --help` succeeded, listed each of our daemons once, and complained of nothing."""
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        listed = re.findall(r"^ +(netlab\S*) ", result.stdout, re.MULTILINE)
        self.assertEqual(sorted(listed), sorted(daemons()))
        self.assertNotIn("Traceback", result.stdout)

    def test_wheel(self) -> None:
        """From an unrelated folder, twistd lists the daemons of an installed wheel."""
        self.environment.have("wheel")
        self.lists_daemons(self.environment.twistd_help())

    def test_wheel_holds_only_ours(self) -> None:
        """The wheel has our packages and our plugin file, and nothing else for Twisted's folders."""
        self.environment.have("wheel")
        packages = self.environment.packages
        self.assertTrue((packages / "netlab/py.typed").is_file())
        self.assertTrue((packages / "twisted/plugins/netlab_plugins.py").is_file())
        (record,) = packages.glob("netlab_daemons-*.dist-info/RECORD")
        owned = {line.partition(",")[0] for line in record.read_text("utf-8").splitlines()}
        ours = re.compile(
            r"(netlab/|netlab_daemons-[^/]*/|twisted/plugins/(__pycache__/)?netlab_plugins\.|\.\./.*/netlab$)"
        )
        self.assertEqual({path for path in owned if not ours.match(path)}, set())

    def test_sample_site(self) -> None:
        """The wheel has the whole sample site of netlab-web."""
        self.environment.have("wheel")
        site = "netlab/web/sample_site"
        source = {path.relative_to(ROOT).as_posix() for path in (ROOT / site).rglob("*") if path.is_file()}
        installed = self.environment.packages
        found = {path.relative_to(installed).as_posix() for path in (installed / site).rglob("*") if path.is_file()}
        self.assertEqual(found, source)
        self.assertEqual(sum(path.endswith((".png", ".gif")) for path in found), 12)

    def test_read_only(self) -> None:
        """Where twistd can't write its cache, it lists the daemons all the same, and quietly."""
        self.environment.have("wheel")
        prefix = []
        if os.geteuid() == 0:  # permissions don't bind root until it gives up the right to override them
            lost = "-dac_override,-dac_read_search,-fowner"
            prefix = [require_program("setpriv"), f"--bounding-set={lost}", f"--inh-caps={lost}"]
        plugins = self.environment.packages / "twisted/plugins"
        cache = plugins / "dropin.cache"
        cache.unlink(missing_ok=True)
        self.addCleanup(plugins.chmod, plugins.stat().st_mode)
        plugins.chmod(0o555)
        attempt = run("touch", plugins / "attempt", cwd=self.environment.elsewhere, prefix=prefix)
        if attempt.returncode == 0:
            (plugins / "attempt").unlink()
            missing("this machine does not hold root to permissions")
        self.lists_daemons(self.environment.twistd_help(prefix))
        self.assertFalse(cache.exists())

    def test_command(self) -> None:
        """`netlab --help` works once it is installed."""
        self.environment.have("wheel")
        result = run(self.environment.command("netlab"), "--help", cwd=self.environment.elsewhere)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("netlab", result.stdout)

    def test_words(self) -> None:
        """An installed `netlab trace` has its catalogues, and what a page is made from."""
        self.environment.have("wheel")
        capture = self.environment.source / "tests/data/captures/refused.pcapng"
        words = (self.environment.command("netlab"), "trace", capture, "--lang", "he", "--format", "html")
        result = run(*words, cwd=self.environment.elsewhere)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("סיכום", result.stdout)

    def test_bench(self) -> None:
        """An installed `netlab lab` has its experiments, finds its programs, and writes a report in Hebrew."""
        self.environment.have("wheel")
        elsewhere = self.environment.elsewhere
        words = ("lab", "run", "tcp-v1", "--quick", "--lang", "he", "--out", "reports")
        result = run(self.environment.command("netlab"), *words, cwd=elsewhere)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("מה", (elsewhere / "reports/tcp-v1/report.html").read_text("utf-8"))

    def test_uninstall(self) -> None:
        """Uninstalling takes every file of ours, and leaves Twisted's plugins working."""
        self.environment.have("wheel")
        self.lists_daemons(self.environment.twistd_help())
        self.environment.have("none")
        self.assertEqual(self.environment.files(), [])
        result = self.environment.twistd_help()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertNotIn("netlab", result.stdout)
        python = self.environment.command("python")
        imported = run(python, "-c", "import twisted.plugins", cwd=self.environment.elsewhere)
        self.assertEqual((imported.returncode, imported.stderr), (0, ""))

    def test_editable(self) -> None:
        """A plain `pip install -e .` keeps the daemons."""
        self.environment.have("editable")
        self.lists_daemons(self.environment.twistd_help())

    def test_source_archive(self) -> None:
        """The source archive, which the wheel was built from, has the tests, the scripts and the words."""
        (archive,) = self.environment.dist.glob("netlab_daemons-*.tar.gz")
        with tarfile.open(archive) as opened:
            names = {name.partition("/")[2] for name in opened.getnames()}
        self.assertEqual(IN_SOURCE_ARCHIVE - names, set())
