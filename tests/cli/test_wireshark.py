"""``netlab wireshark`` as a person runs it."""

from __future__ import annotations

import os
import subprocess

from twisted.trial.unittest import SynchronousTestCase

from netlab.cli.wireshark import dissector
from tests.cli.command import netlab
from tests.ordinary import OrdinaryUser
from tests.parts import require_program, temporary_folder


class WiresharkTests(SynchronousTestCase):
    """Showing the dissector, and putting it in its place."""

    def test_print(self) -> None:
        """--print gives the file itself and nothing else."""
        result = netlab("wireshark", "--print")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, dissector(), ""))

    def test_install(self) -> None:
        """--install writes it where this user's tshark reads it: the protocol is known without being told."""
        tshark = require_program("tshark")
        home = temporary_folder(self)
        for _ in range(2):
            result = netlab("wireshark", "--install", HOME=str(home))
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(str(home), result.stdout)
        known = subprocess.run(
            [tshark, "-G", "protocols"], env={"HOME": str(home)}, capture_output=True, text=True, check=True, timeout=60
        )
        self.assertIn("\tnetlab_calc\n", known.stdout)
        self.assertIn("\tnetlab_watchdog\n", known.stdout)

    def test_folder(self) -> None:
        """--folder is made when it is missing; an older version of ours is replaced, another's file is not."""
        folder = temporary_folder(self) / "a" / "b"
        path = folder / "netlab.lua"
        for before in (None, "-- Wireshark's eyes for netlab, an older version"):
            if before:
                path.write_text(before)
            self.assertEqual(netlab("wireshark", "--install", "--folder", str(folder)).returncode, 0)
            self.assertEqual(path.read_text("utf-8"), dissector())
        path.write_text("-- mine")
        result = netlab("wireshark", "--install", "--folder", str(folder))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(path.read_text(), "-- mine")
        self.assertIn("is not netlab's; move it away", result.stderr)

    def test_usage(self) -> None:
        """One of the two; and a folder that cannot be made is one clear line."""
        for words in ((), ("--install", "--print")):
            result = netlab("wireshark", *words)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (2, 1))
            self.assertIn("give one of --install and --print", result.stderr)
        result = netlab("wireshark", "--install", "--folder", "/dev/null/here")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(
            result.stderr,
            "netlab wireshark: cannot write /dev/null/here/netlab.lua: Not a directory; "
            "name another folder with --folder\n",
        )

    def test_cannot_be_written(self) -> None:
        """A folder of somebody else, a folder of that name, a full disk: one line, and nothing is left behind."""
        user = OrdinaryUser(self)
        closed, taken = user.folder / "closed", user.folder / "taken"
        closed.mkdir()
        closed.chmod(0o555)
        (taken / "netlab.lua").mkdir(parents=True)
        taken.chmod(0o777)
        folders = [(closed, "Permission denied", []), (taken, "Is a directory", ["netlab.lua"])]
        if os.geteuid() == 0:
            disk = user.folder / "disk"
            disk.mkdir()
            small = "mount", "-t", "tmpfs", "-o", "size=4k,mode=777", "none", str(disk)
            subprocess.run(small, check=True)
            self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
            folders.append((disk, "No space left on device", []))
        for folder, reason, left in folders:
            said = subprocess.run(
                user.netlab("wireshark", "--install", "--folder", str(folder)),
                env=user.environment, capture_output=True, text=True, timeout=60, check=False, cwd="/",
            )  # fmt: skip
            self.assertEqual(said.returncode, 1)
            self.assertIn(f"cannot write {folder}/netlab.lua: {reason}", said.stderr)
            self.assertEqual([path.name for path in folder.iterdir()], left)
