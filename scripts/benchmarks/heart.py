"""A program: the calculator daemon's service, in a process that watches how long its reactor is held.

    heart.py PORT HEART_PORT

The calculator answers on PORT. Each turn of the reactor beats once; whoever connects to HEART_PORT is told, in
milliseconds, the longest time between two beats since the last who asked.
"""

import gc
import sys
import time

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol

from netlab.calc.tap import Options, makeService


class Heart(Factory):
    """Beats with the reactor."""

    noisy = False

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._longest = 0.0

    def buildProtocol(self, addr: object) -> Protocol:
        """Tell whoever asks."""
        return _Told(self)

    def beat(self) -> None:
        """Measure the turn that ends here, and be called in the next."""
        now = time.perf_counter()
        self._longest = max(self._longest, now - self._last)
        self._last = now
        reactor.callLater(0, self.beat)  # type: ignore[attr-defined]

    def longest(self) -> float:
        """The longest turn since this was last asked, in seconds."""
        longest, self._longest = self._longest, 0.0
        return longest


class _Told(Protocol):
    def __init__(self, heart: Heart) -> None:
        self._heart = heart

    def connectionMade(self) -> None:
        self.transport.write(f"{self._heart.longest() * 1000:.3f}\n".encode())  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]


def main(port: str, heart_port: str) -> None:
    """Run until terminated."""
    options = Options()
    options.parseOptions(["--listen", f"tcp:{port}:interface=127.0.0.1", "--memory", "0", "--no-request-log"])
    service = makeService(options, reactor)
    service.startService()
    heart = Heart()
    TCP4ServerEndpoint(reactor, int(heart_port), interface="127.0.0.1").listen(heart)
    reactor.callWhenRunning(heart.beat)  # type: ignore[attr-defined]
    gc.collect()
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*sys.argv[1:])
