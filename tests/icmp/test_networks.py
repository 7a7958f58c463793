"""``netlab ping`` against real kernels: on the loopback, over a router, to hosts that are not there or go away."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from itertools import product
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.icmp.runs import Run
from tests.networks import Host

NEAR, FAR, ROUTER, NOBODY = "10.9.0.1", "10.9.1.1", "10.9.0.254", "10.9.0.77"
FAR6, ROUTER6, NOBODY6 = "fd00:9:1::1", "fd00:9::fe", "fd00:9::77"

#: Sends echo replies of which none is right, and says when it is done.
_SPOOFER = """
import socket, sys
from netlab.icmp.packet import Family
from tests.icmp.peers import with_checksum
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
for number in range(500):
    reply = with_checksum(bytes(4) + number.to_bytes(2, "big") + bytes(2) + b"x" * 56)
    sender.sendto(reply, ("127.0.0.1", 0))
    sender.sendto(reply[:-1] + b"y", ("127.0.0.1", 0))
"""


def _alone(test: SynchronousTestCase) -> Host:
    """A host in which everyone may ping."""
    host = Host(test)
    host.write("ipv4/ping_group_range", "0 2147483647")
    return host


class LoopbackTests(SynchronousTestCase):
    """A host alone."""

    def setUp(self) -> None:
        """Everyone in it may ping."""
        self.alone = _alone(self)

    def test_both_kinds_of_sockets(self) -> None:
        """IPv4 and IPv6 at once, over raw and over unprivileged sockets; large and empty requests."""
        with ExitStack() as under_way:
            words = ("-c", "2", "-i", "0.01", "127.0.0.1", "::1")
            for run in [
                under_way.enter_context(Run(_alone(self), "--size", size, *words, privileged=privileged))
                for privileged, size in product((True, False), ("0", "56", "20000"))
            ]:
                status, summary = run.end()
                self.assertEqual((status, len(run.of("reply")), len(run.of("summary"))), (0, 4, 2), run.events)
                self.assertEqual((summary["sent"], summary["received"], summary["lost"]), (2, 2, 0))
                self.assertLess(summary["times_ms"]["max"], 2_000)
                self.assertEqual(run.of("end")[0]["foreign"], {})

    def test_name(self) -> None:
        """A name is resolved, and the family that is asked for is used."""
        for option, address in (("-4", "127.0.0.1"), ("-6", "::1")):
            with Run(self.alone, option, "-c", "1", "localhost") as run:
                if option == "-6" and "::1" not in Path("/etc/hosts").read_text():
                    continue
                self.assertEqual(run.end()[0], 0)
                self.assertEqual(run.of("reply")[0]["address"], address)

    def test_lab(self) -> None:
        """Nothing in the lab's packets tells one from another but their numbers; they are matched all the same."""
        text = self.alone.run(
            sys.executable, "-m", "netlab.cli.main", "ping", "--lab", "-c", "3", "-i", "0", "127.0.0.1"
        )
        self.assertRegex(text, r"\A(127\.0\.0\.1: seq=[012] time=\d+\.\d{3}000ms\n){3}\Z")

    def test_spoofed(self) -> None:
        """Replies that are not ours, and damaged ones, are counted and change nothing."""
        with Run(self.alone, "-i", "0.01", "127.0.0.1") as run:
            run.next("reply")
            self.alone.run(sys.executable, "-c", _SPOOFER)
            run.next("reply")
            status, summary = run.end(interrupt=True)
            self.assertEqual((status, summary["lost"], summary["duplicates"]), (0, 0, 0))
            foreign = run.of("end")[0]["foreign"]
            self.assertEqual(foreign.pop("checksum"), 500)
            self.assertEqual(sum(foreign.values()), 500)
            self.assertGreaterEqual(foreign["identifier"], 499)

    def test_thousands_at_full_speed(self) -> None:
        """5,000 requests as fast as they are answered, all of them answered."""
        with Run(self.alone, "--quiet", "-c", "5000", "-i", "0", "127.0.0.1") as run:
            status, summary = run.end()
            self.assertEqual((status, summary["sent"], summary["received"]), (0, 5_000, 5_000))

    def test_wraps(self) -> None:
        """Past 65,536 requests the sequence begins again, and the statistics go on."""
        with Run(self.alone, "--quiet", "-c", "66000", "-i", "0", "127.0.0.1") as run:
            status, summary = run.end()
            self.assertEqual((status, summary["sent"], summary["received"], summary["lost"]), (0, 66_000, 66_000, 0))
            self.assertEqual(summary["duplicates"], 0)


class RouterTests(SynchronousTestCase):
    """A host, a router, and a host behind it."""

    def setUp(self) -> None:
        """Join them. An address that nobody has is given up after one question and not after three."""
        self.near = Host(self)
        self.router, self.far = Host(self, self.near), Host(self, self.near)
        self.near.cable("toward", self.router, "near")
        self.router.cable("far", self.far, "back")
        self.near.address("toward", f"{NEAR}/24", "fd00:9::1/64")
        self.router.address("near", f"{ROUTER}/24", f"{ROUTER6}/64")
        self.router.address("far", "10.9.1.254/24", "fd00:9:1::fe/64")
        self.far.address("back", f"{FAR}/24", f"{FAR6}/64")
        self.near.route(("default", ROUTER), ("default", ROUTER6))
        self.far.route(("default", "10.9.1.254"), ("default", "fd00:9:1::fe"))
        # Routers send few errors in a second, as a rule; this one has to send them all.
        self.router.write("ipv4/icmp_ratelimit", "0")
        self.router.write("ipv6/icmp/ratelimit", "0")
        self.router.write("ipv4/ip_forward", "1")
        self.router.write("ipv6/conf/all/forwarding", "1")
        for family in ("ipv4", "ipv6"):
            self.near.write(f"{family}/neigh/toward/mcast_solicit", "1")
        self.near.write("ipv4/ping_group_range", "0 2147483647")

    def test_time_exceeded(self) -> None:
        """Where the router drops what has one hop to live, it says so, and which request that was."""
        causes = {FAR: (ROUTER, "time to live exceeded"), FAR6: (ROUTER6, "hop limit exceeded")}
        for privileged in (True, False):
            with Run(self.near, "--ttl", "1", "-c", "2", "-i", "0.05", *causes, privileged=privileged) as run:
                status, _ = run.end()
                found = {(error["target"], error["from"], error["cause"], error["seq"]) for error in run.of("error")}
                self.assertEqual(found, {(target, *causes[target], seq) for target in causes for seq in (0, 1)})
                counts = [(summary["lost"], summary["errors"]) for summary in run.of("summary")]
                self.assertEqual((status, counts), (1, [(2, 2), (2, 2)]))
        with Run(self.near, "--ttl", "2", "-c", "1", FAR, FAR6) as run:
            self.assertEqual(run.end()[0], 0)

    def test_unreachable(self) -> None:
        """An address that nobody has: this machine itself says so; and one that no route leads to."""
        words = ("-c", "1", "--timeout", "20", NOBODY, NOBODY6)
        with ExitStack() as under_way:
            runs = [under_way.enter_context(Run(self.near, *words, privileged=raw)) for raw in (True, False)]
            for run in runs:
                status, _ = run.end()
                self.assertEqual({error["target"] for error in run.of("error")}, {NOBODY, NOBODY6})
                self.assertTrue(all("unreachable" in error["cause"] for error in run.of("error")), run.events)
                counts = [(summary["lost"], summary["errors"]) for summary in run.of("summary")]
                self.assertEqual((status, counts), (1, [(1, 1), (1, 1)]))
        self.near.run("ip", "route", "del", "default")
        with Run(self.near, "-c", "1", FAR, NEAR) as run:
            self.assertEqual(run.end()[0], 1)
            self.assertEqual(run.of("unsent")[0]["reason"], "Network is unreachable")
            self.assertEqual(run.of("reply")[0]["target"], NEAR)

    def test_away_and_back(self) -> None:
        """A host goes away and comes back: losses are told as they happen, replies go on; it is no reason to end."""
        for privileged in (True, False):
            words = ("-i", "0.05", "--timeout", "0.3", FAR)
            with Run(self.near, *words, privileged=privileged) as run:
                run.next("reply")
                self.far.run("ip", "link", "set", "back", "down")
                run.next("lost")
                run.next("lost", "error")
                self.far.run("ip", "link", "set", "back", "up")
                self.far.run("ip", "route", "replace", "default", "via", "10.9.1.254")
                back = run.next("reply")
                while back["late"]:  # the router kept some requests until the host was back
                    back = run.next("reply")
                self.assertGreater(back["number"], run.of("lost")[0]["number"])
                status, summary = run.end(interrupt=True)
                self.assertEqual(status, 0)
                self.assertEqual(summary["sent"], summary["received"] + summary["lost"] + summary["in_flight"])
                self.assertGreaterEqual(summary["lost"] + summary["late"], 1)

    def test_too_big(self) -> None:
        """A packet that does not fit the next link comes back as an error, or is sent in parts; never is it silent."""
        with Run(self.near, "-c", "1", "--size", "8000", FAR) as run:
            status, summary = run.end()
            self.assertEqual((status, summary["received"]), (0, 1))
