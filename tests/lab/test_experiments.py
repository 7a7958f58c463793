"""Every experiment with real daemons, clients and kernels: what should be seen is seen."""

from __future__ import annotations

import subprocess

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.claim import DISPROVED, PROVED, UNTOLD
from netlab.lab.loading import experiments
from netlab.trace.words.loading import language as trace_language
from tests.cli.command import NETLAB, environment
from tests.lab import ordinary
from tests.lab.bench import all_done, marked, run, verdicts
from tests.parts import missing, require_program, temporary_folder

#: Seconds for a few experiments on a machine with much else to do.
PATIENCE = 240.0


class ExperimentTests(SynchronousTestCase):
    """All of them, run once."""

    def test_every_claim_is_proved(self) -> None:
        """`netlab lab run all --quick` proves everything."""
        words = trace_language("en")
        for name, one in all_done().items():
            if one.ran.skipped:
                missing(f"{name}: {one.ran.skipped}")
            if one.ran.capture is None:
                missing(f"{name}: {one.ran.why}")
            for claim, judged in one.result.judged:
                reason = f"{name}, {claim.name}: {words.say(claim.text)} {words.say(judged.reason)}"
                self.assertEqual(judged.verdict, PROVED, reason)

    def test_what_is_cited_is_there(self) -> None:
        """Frames that a claim about packets cites are in the capture, and there are some."""
        for name, one in all_done().items():
            for claim, judged in one.result.judged:
                if claim.needs == "packets" and judged.verdict == PROVED:
                    self.assertTrue(judged.frames, f"{name}, {claim.name}")
                    self.assertLessEqual(max(judged.frames), len(one.result.evidence.packets))

    def test_classic_numbers(self) -> None:
        """Without a student the numbers are those of protocols.md."""
        direct = all_done()["calc-direct"].result.evidence
        found = [
            (each.request.span.length, each.response.span.length)
            for application in direct.findings.applications
            for each in application.facts.exchanges
        ]
        self.assertEqual(found, [(687, 564), (687, 564), (376, 60)])
        # On a machine with much to do the client takes its time to close, and the first FIN is acknowledged by itself.
        self.assertIn(len(all_done()["tcp-session"].result.evidence.packets), (14, 15))

    def test_nothing_is_left(self) -> None:
        """No program of an experiment outlives it."""
        all_done()
        self.assertEqual(marked(), [])

    def test_nothing_else_is_captured(self) -> None:
        """No packet of a kernel's own, such as IPv6's looking for neighbours, comes between those of an experiment."""
        for name, one in all_done().items():
            others = [each.source for each in one.result.evidence.packets if ":" in (each.source or "")]
            self.assertEqual((name, others), (name, []))

    def test_capture_opens_in_wireshark(self) -> None:
        """The capture is one that tshark reads, and the cited packets have comments."""
        tshark = require_program("tshark")
        path = temporary_folder(self) / "capture.pcapng"
        path.write_bytes(all_done()["calc-outage"].files["capture.pcapng"])
        words = [tshark, "-r", str(path), "-T", "fields", "-e", "frame.number", "-e", "frame.comment"]
        shown = subprocess.run(words, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
        commented = [line for line in shown.splitlines() if "proved" in line]
        self.assertEqual(len(commented), len(all_done()["calc-outage"].result.cited))

    def test_without_capture(self) -> None:
        """Who may not capture can run an experiment all the same: what was not seen cannot be told."""
        found = verdicts(run("watchdog-expiry", capture=False).result)
        self.assertEqual(found.pop("timeline"), PROVED)
        self.assertEqual(found.pop("exit"), PROVED)
        self.assertEqual(set(found.values()), {UNTOLD})

    def test_students(self) -> None:
        """A student's experiments are others, and proved as well."""
        folder = temporary_folder(self)
        names = ("tcp-v1", "calc-proxy", "web-redirect")
        words = [*NETLAB, "lab", "run", *names, "--quick", "--student", "123456789", "--out", str(folder)]
        result = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, env=environment(), check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertNotIn(DISPROVED, result.stdout)
        checked = subprocess.run(
            [*NETLAB, "lab", "verify", str(folder), "--student", "123456789"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_names(self) -> None:
        """The experiments are those of the issue."""
        expected = "tcp-session tcp-v1 tcp-v2 tcp-v3 tcp-v4 web-page web-image web-missing web-redirect web-browser"
        expected += " calc-direct calc-proxy calc-outage calc-freshness ping watchdog watchdog-expiry"
        self.assertEqual(sorted(experiments()), sorted(expected.split()))


class UserTests(SynchronousTestCase):
    """As who has no rights."""

    def test_as_user(self) -> None:
        """An ordinary user gets a network of their own, with captures, pings and a far machine, and proves the same."""
        path = ordinary.python(self)
        self._require_namespaces(path)
        folder = temporary_folder(self)
        folder.chmod(0o777)
        words = ("calc-outage", "ping", "watchdog-expiry")
        command = [*ordinary.become(), path, "-m", "netlab.cli.main", "lab", "run", *words, "--quick"]
        result = subprocess.run(
            [*command, "--out", str(folder / "out")],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=environment(),
            check=False,
        )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("3 experiments, 18 claims: 18 proved", result.stdout)

    def test_without_rights(self) -> None:
        """Who gets no network and may not capture runs it on the machine's, and is told what nobody could look at."""
        unshare = require_program("unshare")
        folder = temporary_folder(self)
        no_networks = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
        words = [*NETLAB, "lab", "run", "tcp-v1", "watchdog-expiry", "--quick", "--seed", "77", "--out", str(folder)]
        result = subprocess.run(
            [unshare, "--user", "--map-root-user", "sh", "-c", no_networks, "sh", *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=environment(),
            check=False,
        )
        if "max_net_namespaces" in result.stderr or "unshare" in result.stderr:
            missing(result.stderr)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("2 experiments, 13 claims: 13 cannot be told", result.stdout)
        self.assertIn("it needs a network of its own", result.stdout)

    def _require_namespaces(self, path: str) -> None:
        program = "from netlab.common.namespace import enter_own_network; enter_own_network()"
        asked = subprocess.run([*ordinary.become(), path, "-c", program], capture_output=True, text=True, check=False)
        if asked.returncode:
            missing(f"no network of an ordinary user's own: {asked.stderr.strip()[-200:]}")
