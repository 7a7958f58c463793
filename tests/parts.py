"""Real parts of other people's that tests need: programs, the network.

A machine without one skips the test and says why. Where everything must be there (`NETLAB_REQUIRE_ALL=1`, as
CI has it) the same test fails instead, so that nothing goes untested unseen.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import NoReturn
from unittest import SkipTest, TestCase


def missing(reason: str) -> NoReturn:
    """End this test for want of a part: skipped, or failed where every part is required."""
    if os.environ.get("NETLAB_REQUIRE_ALL") == "1":
        raise AssertionError(f"{reason} (NETLAB_REQUIRE_ALL=1)")
    raise SkipTest(reason)


def require_program(name: str) -> str:
    """Return the path of the program `name`, or end this test: see `missing`."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed")
    return path


def temporary_folder(test: TestCase) -> Path:
    """A new folder that is removed when ``test`` has ended (`mktemp` of trial leaves its own where tests were run)."""
    folder = Path(tempfile.mkdtemp(prefix="netlab-"))
    test.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    return folder
