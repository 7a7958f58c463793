"""Pages of ours in a real browser."""

from __future__ import annotations

import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.parts import require_program

#: How long the browser may take, on a busy machine; only a broken one takes so long.
PATIENCE = 90.0

#: Without a window, and without asking anybody for anything.
WORDS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--v=0"),
)


def browse(test: SynchronousTestCase, folder: Path, path: Path, *words: str) -> tuple[str, str]:
    """Open the page at ``path``, with the profile in ``folder``; what the browser wrote on stdout and stderr."""
    command = [require_program("chromium"), *WORDS, f"--user-data-dir={folder / 'profile'}", *words, path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    test.assertEqual(done.returncode, 0, done.stderr)
    return done.stdout, done.stderr
