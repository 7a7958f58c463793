"""What is found in captures of real daemons on a real kernel (made by `tests.trace.app.captured`)."""

from __future__ import annotations

import json
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.app import findings
from netlab.trace.app.application import Application
from netlab.trace.app.findings import Findings
from netlab.trace.app.http import Unused
from netlab.trace.app.values import arrays, text_of
from tests.trace.app.captured import FOLDER, SCENES
from tests.trace.app.talking import found_in


def of(name: str) -> Findings:
    """What is found in a capture."""
    return found_in((FOLDER / f"{name}.pcapng").read_bytes())


def facts(name: str, protocol: str) -> Any:
    """The facts of its first conversation."""
    application: Application = of(name).applications[0]
    assert application.protocol == protocol, application.protocol
    return application.facts


class CalcTests(SynchronousTestCase):
    """The calculator's daemon."""

    def test_exchanges(self) -> None:
        """Requests in pickle and JSON, split and together, each with its answer."""
        exchanges = facts("calc", "calc").exchanges
        asked = [one.request.expression for one in exchanges]
        self.assertEqual(asked[:4], ["max(2, 3) + 3", "1 / 0", "2 ** 10", "1 + PI"])
        self.assertEqual([one.response.result for one in exchanges[:4]], ["6", None, "1024", "4.141592653589793"])
        self.assertEqual(exchanges[0].response.steps, ("max(2, 3) + 3", "3 + 3", "6"))
        self.assertEqual(exchanges[1].response.error.kind, "ZeroDivisionError")
        self.assertEqual([part[::2] for part in exchanges[0].request.span.parts], [(4, 100), (6, 276)])
        self.assertEqual((exchanges[4].request.header.length, exchanges[4].response.header.length), (687, 564))
        self.assertEqual(exchanges[4].response.steps[-1], exchanges[4].response.result)
        self.assertEqual([one.request.codec for one in exchanges], ["pickle", "pickle", "pickle", "json", "pickle"])

    def test_notes(self) -> None:
        """Each packet knows what it carried."""
        notes = of("calc").notes()
        self.assertEqual(
            [(note.role, note.part, note.parts, note.last) for note in notes[4]], [("request", 1, 2, False)]
        )
        self.assertEqual([(note.role, note.number) for note in notes[10]], [("request", 1), ("request", 2)])
        self.assertNotIn(1, notes)

    def test_damaged(self) -> None:
        """A header that cannot be trusted is said, and what is lost after it."""
        (application,) = of("calc-damaged").applications
        kinds = [(fault.kind, fault.offset, fault.frame) for fault in application.faults]
        self.assertEqual(kinds, [("length_too_short", 376, 8), ("unread", 376, 8)])
        self.assertEqual(application.faults[1].numbers, {"length": 32})
        self.assertIn("less than the header", application.facts.exchanges[1].response.error.message)


class ProxyTests(SynchronousTestCase):
    """The caching proxy before the calculator."""

    def test_passages(self) -> None:
        """A miss, a hit without a packet upstream, another miss, and an outage with its refused SYN."""
        passages = of("proxy").passages
        self.assertEqual([one.verdict for one in passages], ["miss", "hit", "miss", "outage"])
        self.assertEqual({one.confidence for one in passages}, {"certain"})
        miss, hit, _again, outage = passages
        self.assertEqual(miss.upstream, 1)
        self.assertEqual([proof.what for proof in miss.evidence], ["same_request", "same_answer", "within"])
        proofs = {proof.what: proof for proof in hit.evidence}
        self.assertEqual(proofs["no_upstream_packet"].numbers["others"], 0)
        self.assertEqual(proofs["answered_before"].frames, (miss.answer.first if miss.answer else 0,))
        self.assertEqual(proofs["made_earlier"].numbers, {"older": 1_000_000_000})
        self.assertIsNone(hit.upstream)
        self.assertEqual([proof.what for proof in outage.evidence], ["refused", "error_status"])


class UpperTests(SynchronousTestCase):
    """The uppercase servers."""

    def test_variants(self) -> None:
        """Each variant is recognised."""
        for variant in ("session", "v1", "v2", "v3", "v4"):
            self.assertEqual(facts(f"upper-{variant}", "upper").variant, variant)

    def test_session(self) -> None:
        """Each answer belongs to its message, and the server closes after two."""
        talk = facts("upper-session", "upper")
        self.assertEqual([(one.request.length, one.answer.length) for one in talk.answers], [(35, 35), (20, 20)])
        self.assertEqual([sign.what for sign in talk.evidence], ["server_closed_after"])

    def test_repeated(self) -> None:
        """V3 repeats 13 bytes a thousand times."""
        (answer,) = facts("upper-v3", "upper").answers
        self.assertEqual((answer.factor, answer.request.length, answer.answer.length), (1000, 13, 13_000))
        self.assertTrue(answer.complete)

    def test_read_late(self) -> None:
        """V4 reads four segments at once, after five seconds."""
        artefact = next(one for one in of("upper-v4").artefacts if one.kind == "read_together")
        self.assertEqual((artefact.numbers["segments"], artefact.numbers["bytes"]), (4, 520))
        self.assertEqual(artefact.numbers["waited"] // 1_000_000_000, 5)


class WebTests(SynchronousTestCase):
    """The file server."""

    def test_exchanges(self) -> None:
        """Keep-alive, a HEAD whose length is not its body's, a body that the close ends."""
        found = of("web")
        exchanges = [
            one
            for application in found.applications
            if application.facts
            for one in getattr(application.facts, "exchanges", ())
        ]
        self.assertEqual([one.response.status for one in exchanges], [200, 200, 301, 200, 404])
        self.assertEqual(
            [one.response.body.framing for one in exchanges], ["length", "none", "close", "length", "close"]
        )
        self.assertEqual([one.response.body.length for one in exchanges], [678, 0, 0, 369, 0])
        self.assertTrue(all(one.response.body.complete for one in exchanges))
        self.assertEqual(exchanges[1].response.header("content-length"), "678")

    def test_redirect(self) -> None:
        """The redirect is followed to another connection."""
        redirect = of("web").applications[2].facts.exchanges[0].redirect
        self.assertEqual((redirect.location, redirect.conversation, redirect.index), ("/result.html", 3, 0))

    def test_unused(self) -> None:
        """The second connection that nobody used, closed by the server after a second."""
        application = of("web").applications[1]
        self.assertIsInstance(application.facts, Unused)
        self.assertEqual((application.facts.beside, application.facts.closed_by), (0, 1))


class OtherTests(SynchronousTestCase):
    """Watchdog, ping, and a capture with everything twice."""

    def test_watchdog(self) -> None:
        """A start, two resets, and two seconds of silence before the server closes."""
        talk = facts("watchdog", "watchdog")
        self.assertEqual([one.kind for one in talk.messages], ["start", "reset", "reset"])
        self.assertEqual((talk.closed.by, talk.silence // 1_000_000_000), (1, 2))

    def test_ping(self) -> None:
        """Two programs at once are two sessions, every echo answered with the same data."""
        sessions = of("ping").echoes
        self.assertEqual([(one.sent, one.received, one.lost) for one in sessions], [(3, 3, 0), (3, 3, 0)])
        self.assertEqual({echo.length for one in sessions for echo in one.echoes}, {19, 56})
        self.assertTrue(all(echo.same_data and echo.outcome == "answered" for one in sessions for echo in one.echoes))

    def test_twice(self) -> None:
        """Each packet is there twice, and each message once."""
        found = of("both-directions")
        self.assertEqual(len(found.applications[0].facts.exchanges), 1)
        (twice,) = [one for one in found.artefacts if one.kind == "captured_twice"]
        self.assertEqual(2 * twice.numbers["pairs"], twice.numbers["packets"])
        self.assertEqual(found.passages, ())

    def test_any_batch(self) -> None:
        """However many segments are read at a time, the same is found."""
        expected = {name: of(name) for name in ("proxy", "web", "upper-v4")}
        for most in (1, 3):
            self.patch(findings, "MAX_WAITING", most)
            for name, found in expected.items():
                self.assertEqual(of(name), found, name)
        self.patch(findings, "MAX_WAITING_BYTES", 500)
        self.assertEqual(of("proxy"), expected["proxy"])

    def test_json(self) -> None:
        """All of it can be written as JSON, with nothing but plain values."""
        for name in SCENES:
            found = of(name)
            for field, texts in arrays(found):
                values = [json.loads(text) for text in texts]
                self.assertEqual(len(values), len(getattr(found, field)))
                for value, one in zip(values, getattr(found, field), strict=True):
                    self.assertEqual(set(value), {field.name for field in attrs.fields(type(one))})
            self.assertEqual(found.left_out, {})

    def test_json_of_spans(self) -> None:
        """A message's packets stand there by number, time and length, the time as a text in seconds."""
        exchange = json.loads(text_of(of("calc").applications[0]))["facts"]["exchanges"][0]
        parts = exchange["request"]["span"]["parts"]
        self.assertEqual([(part["frame"], part["length"]) for part in parts], [(4, 100), (6, 276)])
        self.assertEqual(parts[0]["time"], exchange["request"]["span"]["began"])
        self.assertRegex(parts[0]["time"], r"^\d{10}\.\d{9}$")
        self.assertIs(exchange["request"]["header"]["cache"], True)
