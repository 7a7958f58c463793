"""Show netlab at work: start the daemons on free ports, ask them real questions, and tell what happens.

`scripts/demo` runs this in the project's virtual environment. Everything stays on 127.0.0.1 and in a temporary
folder, and nothing is left running. The exit code is 0 if all went as it should, 1 if not.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

#: Where the environment's commands are: beside its Python.
COMMANDS = Path(sys.executable).parent

#: Seconds for a daemon to listen, and to stop.
PATIENCE = 10

LISTENS = re.compile(r" on 127\.0\.0\.1:(\d+)")
#: What twistd's log has before each message: a time and a name.
PREFIX = re.compile(r"^\S+ \[[^\]]*\] ", re.MULTILINE)

EXPRESSIONS = """\
# the networks lab's favourite
(sin(max(2, 3 * 4, 5, 6 * ((7 * 8) / 9), 10 / 11)) / 12) * 13
-2 ** 2             # a sign binds looser than **
2 ** 3 ** 2         # ** groups from the right
1 / (1 - 1)         # an error is an answer too
sqrt(tau * e) % pi
"""


class DemoFailedError(Exception):
    """Something did not go as it should; the text says what."""


def tell(text: str) -> None:
    """Write a line of the story."""
    print(text, flush=True)


def shown(text: str, edge: str = "    ") -> None:
    """Write what a program said, set off from the story."""
    tell("\n".join(f"{edge}{line}".rstrip() for line in text.splitlines()))


def run(*words: str, expected: int = 0, has: Sequence[str] = ()) -> None:
    """Run a command of the environment, show it and what it says, and check its exit code and parts of its output."""
    tell(f"\n  $ {' '.join(_quoted(word) for word in words)}")
    command: list[str | Path] = [COMMANDS / words[0], *words[1:]]
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False
    )
    shown(result.stdout)
    if result.returncode != expected:
        raise DemoFailedError(f"`{words[0]}` ended with {result.returncode}; {expected} was expected")
    if result.returncode:
        tell(f"  (exit code {result.returncode}, as it should be)")
    missing = [part for part in has if part not in result.stdout]
    if missing:
        raise DemoFailedError(f"this is missing from what `{words[0]}` said: {missing[0]}")


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w./:=,+-]+", word) else f"'{word}'"


class Daemon:
    """A daemon of ours under twistd, its log in a file."""

    def __init__(self, folder: Path, name: str, *options: str) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        words = ["--nodaemon", f"--pidfile={folder / name}.pid", name, *options]
        tell(f"\n  $ twistd -n {' '.join(words[2:])} &")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [COMMANDS / "twistd", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
            )

    @property
    def log(self) -> str:
        """Everything the daemon has logged."""
        return self._log.read_text("utf-8", "replace")

    def port(self) -> int:
        """The port it listens on, once it does."""
        self._wait(lambda: LISTENS.search(self.log) is not None, "listen")
        found = LISTENS.search(self.log)
        assert found is not None
        tell(f"  It listens on 127.0.0.1:{found[1]}.")
        return int(found[1])

    def stop(self) -> None:
        """Stop it by SIGTERM, and check that it ends well; show its side of the story."""
        self._check_alive()
        tell(f"\nStop {self.name} with SIGTERM.")
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(PATIENCE)
        tell(f"  It ended with exit code {code}. What it logged meanwhile:\n")
        shown(PREFIX.sub("", self.log), "    | ")
        if code:
            raise DemoFailedError(f"{self.name} ended with {code} instead of 0")
        if "Traceback" in self.log:
            raise DemoFailedError(f"there is a traceback in the log of {self.name}")

    def kill(self) -> None:
        """Make sure that it is gone."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            self._check_alive()
            if time.monotonic() > deadline:
                raise DemoFailedError(f"{self.name} did not {what} within {PATIENCE} s; its log:\n{self.log}")
            time.sleep(0.02)

    def _check_alive(self) -> None:
        code = self._process.poll()
        if code is not None:
            raise DemoFailedError(f"{self.name} ended by itself with {code}; its log:\n{self.log}")


@contextmanager
def daemon(folder: Path, name: str, *options: str) -> Iterator[Daemon]:
    """Run a daemon for as long as the block runs; it is gone afterwards, whatever happened."""
    started = Daemon(folder, name, *options)
    try:
        yield started
    finally:
        started.kill()


def calculator(folder: Path) -> None:
    """The calculator: the daemon answers pickles and JSON, errors, and a file of expressions over one connection."""
    tell("== The calculator ==\n\nStart the daemon on a free port of this machine.")
    with daemon(folder, "netlab-calc", "--listen", "tcp:0:interface=127.0.0.1") as server:
        ask = ("netlab", "calc", "--connect", f"127.0.0.1:{server.port()}")
        tell("\nAsk it as the lab's programs do, in pickle:")
        run(*ask, "max(2, 3) + 3", has=["request of length 376", "response of length 60", "Result: 6"])
        tell("\nThe same in JSON, for programs in any language, and as JSON for a machine to read:")
        run(*ask, "--codec", "json", "max(2, 3) + 3", has=["Result: 6"])
        run(*ask, "--codec", "json", "--json", "2 ** 100", has=['{"integer": "1267650600228229401496703205376"}'])
        tell("\nAsk what has no answer, and what nobody should compute:")
        run(*ask, "1 / 0", expected=1, has=["ZeroDivisionError: division by zero"])
        run(*ask, "9 ** 9 ** 9", expected=1, has=["passes the limit"])
        questions = folder / "expressions.txt"
        questions.write_text(EXPRESSIONS)
        tell(f"\nAsk many at once, over one connection. The file {questions.name} has:\n")
        shown(EXPRESSIONS)
        run(*ask, "--file", str(questions), expected=1, has=["-0.38748277824137206", "line 5: ZeroDivision"])
        server.stop()


def proxy(folder: Path) -> None:
    """The proxy: a miss, a hit, the server stopped in between, an outage, and why each was so."""
    tell("\n== The caching proxy ==\n\nStart a calculator, and a proxy before it.")
    folder.mkdir()
    control = folder / "control"
    with daemon(folder, "netlab-calc", "--listen", "tcp:0:interface=127.0.0.1") as server:
        upstream = f"tcp:127.0.0.1:{server.port()}"
        options = ("--listen", "tcp:0:interface=127.0.0.1", "--upstream", upstream, "--control", str(control))
        with daemon(folder, "netlab-proxy", *options) as cache:
            ask = ("netlab", "calc", "--connect", f"127.0.0.1:{cache.port()}")
            look = ("netlab", "proxy", "--control", str(control))
            tell("\nAsk through it twice: the second answer needs no server.")
            run(*ask, "max(2, 3) + 3", has=["Result: 6"])
            run(*ask, "max(2, 3) + 3", has=["Result: 6"])
            run(*look, "explain", has=["Cache miss, response cached ,server", "Cache hit ,server time remaining: inf"])
            server.stop()
            tell("\nThe server is gone. What is stored is still served; the rest cannot be.")
            run(*ask, "max(2, 3) + 3", has=["Result: 6"])
            run(*ask, "max(2, 3) + 4", expected=1, has=["response of length 170", "Connection refused by server"])
            run(*look, "stats", has=["hit ", "nothing listens there"])
            cache.stop()


def uppercase(folder: Path) -> None:
    """The TCP laboratory: a server that answers a thousandfold, and a client that closes before it has read that."""
    tell("\n== The TCP laboratory ==\n\nStart a server that answers everything a thousand times over.")
    listen = ("--listen", "tcp:0:interface=127.0.0.1")
    with daemon(folder, "netlab-upper", *listen, "--variant", "v3") as server:
        play = ("netlab", "upper", "--connect", f"127.0.0.1:{server.port()}", "--variant", "v3")
        tell("\nA client that reads some of the answer and closes makes its kernel send a reset (RST):")
        run(*play, has=["closed here after 2,048 bytes with 10,952 unread, which sends a RST"])
        tell("\nOne that ends only its sending gets all of it:")
        run(*play, "--read-size", "20000", "--reads", "1", "--close", "half", has=["closed by the peer after 13,000"])
        server.stop()


def main() -> int:
    """Tell the whole story; the exit code."""
    # Output goes to a pipe here: nothing of a terminal may change it.
    os.environ["NO_COLOR"] = "1"
    # Being stopped is cleaned up after like everything else.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="netlab-demo-") as folder:
            calculator(Path(folder))
            proxy(Path(folder) / "proxy")
            uppercase(Path(folder))
    except (DemoFailedError, subprocess.TimeoutExpired, OSError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; nothing is left running.", file=sys.stderr)
        return 130
    tell(f"\nAll of this was real, and all of it worked ({time.monotonic() - began:.1f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
