"""Reads the whole malicious corpus under an audit hook and prints, as JSON, what Python did meanwhile.

``tests.calc.codecs.test_malicious`` runs it as a program of its own, because an audit hook stays for ever.
"""

import json
import pickle
import sys
from contextlib import suppress

from netlab.calc.budget import Budget
from netlab.calc.calculator import Calculator
from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.codecs.pickle_read import ExpressionReader
from netlab.calc.errors import CalcError
from netlab.calc.header import encode_packet
from tests.calc.codecs import malicious
from tests.calc.expressions import never


class Watch:
    """Names every event that Python raises while ``on``: imports, compiling, opening, executing, finding a class."""

    def __init__(self) -> None:
        self.on = False
        self.events: list[str] = []
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on:
            self.events.append(f"{event} {arguments!a:.100}")

    def take(self) -> list[str]:
        """The events since the last time; watching ends."""
        self.on = False
        events, self.events = self.events, []
        return events


def feed(body: bytes) -> None:
    """Give a body to everything that reads pickles."""
    with suppress(CalcError):
        ExpressionReader(Budget()).read(body)
    with suppress(CalcError):
        read_answer(body)
    if len(body) < 65_000:
        Calculator(never).reply(encode_packet(body, timestamp=0, request=True, steps=True))


def main() -> None:
    """Watch, feed, report."""
    watch = Watch()
    feed(malicious.GOOD)
    watch.on = True
    for body in malicious.CORPUS.values():
        feed(body)
    seen = watch.take()
    watch.on = True
    pickle.loads(b"\x80\x04\x8c\x02os\x8c\x06getpid\x93)R.")
    control = watch.take()
    print(json.dumps({"seen": seen, "control": control, "fed": len(malicious.CORPUS)}))


if __name__ == "__main__":
    main()
