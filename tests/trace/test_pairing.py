"""Client connections and the upstream connections that they caused."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.passage import Passage
from tests.trace.app.messages import NOW, failure, request, response
from tests.trace.app.talking import CLIENT, SERVER, Line, found

CLIENT_HOST, PROXY, UPSTREAM = "10.0.0.1", "10.0.0.2", "10.0.0.3"
SECOND = 1_000_000_000


class Scene:
    """A proxy on a host of its own: each event has its own millisecond, whatever connection it is on."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._now = 0

    def down(self) -> Line:
        """A client's connection to the proxy."""
        return self._begin(Line(9998, 41_000 + len(self.lines), CLIENT_HOST, PROXY))

    def up(self) -> Line:
        """A connection of the proxy to the server."""
        return self._begin(Line(9999, 42_000 + len(self.lines), PROXY, UPSTREAM))

    def _begin(self, line: Line) -> Line:
        line.now = self._now
        self.lines.append(line)
        self._now = line.open().now
        return line

    def say(self, line: Line, sender: int, payload: bytes) -> Scene:
        """The next event."""
        line.now = max(line.now, self._now)
        line.say(sender, payload)
        self._now = line.now
        return self

    def refused(self) -> Scene:
        """The proxy tries to reach the server in vain."""
        line = Line(9999, 43_000 + len(self.lines), PROXY, UPSTREAM)
        line.now = self._now
        self.lines.append(line.refuse())
        self._now = line.now
        return self

    def miss(self, question: bytes, answer: bytes) -> Scene:
        """A request that is asked upstream."""
        down, up = self.down(), self.up()
        return (
            self.say(down, CLIENT, question).say(up, CLIENT, question).say(up, SERVER, answer).say(down, SERVER, answer)
        )

    def ask(self, question: bytes, answer: bytes) -> Scene:
        """A request that the proxy answers by itself."""
        down = self.down()
        return self.say(down, CLIENT, question).say(down, SERVER, answer)

    def passages(self, **options: dict[int, str]) -> tuple[Passage, ...]:
        """What the proxy did."""
        return found(*self.lines, **options).passages


ASKED = request("1 + 2")
ANSWERED = response(ASKED)


class VerdictTests(SynchronousTestCase):
    """Miss, hit, outage."""

    def verdicts(self, scene: Scene, **options: dict[int, str]) -> list[tuple[str, str]]:
        """Verdicts with their confidence."""
        return [(one.verdict, one.confidence) for one in scene.passages(**options)]

    def test_bytes(self) -> None:
        """Any protocol: what is passed on is a miss, the same answer without it a hit, another answer its own."""
        scene = Scene().miss(b"what is this?", b"this.").ask(b"what is this?", b"this.").ask(b"who are you??", b"me.")
        self.assertEqual(self.verdicts(scene), [("miss", "certain"), ("hit", "certain"), ("own", "likely")])
        miss, hit, _own = scene.passages()
        self.assertEqual((miss.conversation, miss.upstream, hit.upstream), (0, 1, None))

    def test_time_stamp(self) -> None:
        """A proxy may put its own time into a header: the rest is the same."""
        scene = Scene()
        down, up = scene.down(), scene.up()
        scene.say(down, CLIENT, ASKED).say(up, CLIENT, request("1 + 2", when=NOW + 1))
        scene.say(up, SERVER, response(ASKED, NOW + 1)).say(down, SERVER, ANSWERED)
        (passage,) = scene.passages()
        self.assertEqual((passage.verdict, passage.confidence), ("miss", "certain"))
        self.assertEqual(passage.evidence[0].numbers, {"same_header": 1})

    def test_others_meanwhile(self) -> None:
        """While another request goes upstream, a hit is only likely: its packets are between."""
        other = request("2 + 2")
        scene = Scene().miss(ASKED, ANSWERED)
        first, second, up = scene.down(), scene.down(), scene.up()
        scene.say(first, CLIENT, ASKED).say(second, CLIENT, other).say(up, CLIENT, other).say(first, SERVER, ANSWERED)
        scene.say(up, SERVER, response(other)).say(second, SERVER, response(other))
        self.assertEqual(self.verdicts(scene), [("miss", "certain"), ("hit", "likely"), ("miss", "certain")])

    def test_shared(self) -> None:
        """Two clients ask the same at once, and the proxy asks once."""
        scene = Scene()
        first, second, up = scene.down(), scene.down(), scene.up()
        scene.say(first, CLIENT, ASKED).say(up, CLIENT, ASKED).say(second, CLIENT, ASKED)
        scene.say(up, SERVER, ANSWERED).say(first, SERVER, ANSWERED).say(second, SERVER, ANSWERED)
        passages = scene.passages()
        self.assertEqual(
            [(one.verdict, one.shared, one.upstream) for one in passages], [("miss", False, 2), ("miss", True, 2)]
        )

    def test_outage(self) -> None:
        """A refused SYN while the client waits, and an error for an answer."""
        scene = Scene()
        down = scene.down()
        scene.say(down, CLIENT, ASKED).refused().say(down, SERVER, failure())
        (passage,) = scene.passages()
        self.assertEqual((passage.verdict, passage.confidence), ("outage", "certain"))
        refused = passage.evidence[0]
        self.assertEqual((refused.what, len(refused.frames)), ("refused", 2))

    def test_refused_for_another(self) -> None:
        """A refused SYN says nothing about a client that got its answer from a program nobody knows as a proxy."""
        scene = Scene()
        down = scene.down()
        scene.say(down, CLIENT, ASKED).refused().say(down, SERVER, ANSWERED)
        self.assertEqual(scene.passages(), ())

    def test_made_before(self) -> None:
        """An answer older than its request shows a cache without any upstream, a role makes it one to be asked of."""
        old = response(ASKED, NOW - 30)
        self.assertEqual(self.verdicts(Scene().ask(ASKED, old)), [("hit", "likely")])
        self.assertEqual(self.verdicts(Scene().ask(ASKED, ANSWERED), roles={9998: "proxy"}), [("own", "possible")])

    def test_upstream_gone(self) -> None:
        """A request that went upstream and was never answered there is an outage, if the client heard of one."""
        scene = Scene()
        down, up = scene.down(), scene.up()
        scene.say(down, CLIENT, ASKED).say(up, CLIENT, ASKED).say(down, SERVER, failure())
        self.assertEqual([one.verdict for one in scene.passages()], ["outage"])
        scene = Scene()
        down, up = scene.down(), scene.up()
        scene.say(down, CLIENT, ASKED).say(up, CLIENT, ASKED)
        self.assertEqual([one.verdict for one in scene.passages()], ["unanswered"])

    def test_two_proxies(self) -> None:
        """A chain: each proxy's passage leads to the next."""
        middle = Line(9997, 45_000, "10.0.0.2", "10.0.0.4")
        last = Line(9999, 46_000, "10.0.0.4", "10.0.0.3")
        scene = Scene()
        down = scene.down()
        for line in (middle, last):
            scene._begin(line)
        for line in (down, middle, last):
            scene.say(line, CLIENT, ASKED)
        for line in (last, middle, down):
            scene.say(line, SERVER, ANSWERED)
        self.assertEqual([(one.conversation, one.upstream) for one in scene.passages()], [(0, 1), (1, 2)])

    def test_no_proxy(self) -> None:
        """Two clients of the same server that ask the same are no passage."""
        first, second = Scene(), Scene()
        for line in (first.up(), second.up()):
            first.say(line, CLIENT, ASKED).say(line, SERVER, ANSWERED)
        self.assertEqual(found(*first.lines, *second.lines).passages, ())
