"""A program: the calculator daemon's service, in a process that watches how long its reactor is held.

    heart.py PORT HEART_PORT

The calculator answers on PORT. Each turn of the reactor beats once; whoever connects to HEART_PORT is told, in
milliseconds, the longest time between two beats since the last who asked: by the clock, and of the processor.
"""

import sys
import time

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Factory, Protocol

from netlab.calc.tap import Options, makeService


class Heart(Factory):
    """Beats with the reactor."""

    noisy = False

    def __init__(self) -> None:
        self._last = _now()
        self._longest = (0.0, 0.0)

    def buildProtocol(self, addr: object) -> Protocol:
        """Tell whoever asks."""
        return _Told(self)

    def beat(self) -> None:
        """Measure the turn that ends here, and be called in the next."""
        now = _now()
        clock, processor = self._longest
        self._longest = (max(clock, now[0] - self._last[0]), max(processor, now[1] - self._last[1]))
        self._last = now
        reactor.callLater(0, self.beat)

    def longest(self) -> tuple[float, float]:
        """The longest turn since this was last asked, in seconds: by the clock, and of the processor."""
        longest, self._longest = self._longest, (0.0, 0.0)
        return longest


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.thread_time()


class _Told(Protocol):
    transport: ITransport

    def __init__(self, heart: Heart) -> None:
        self._heart = heart

    def connectionMade(self) -> None:
        clock, processor = self._heart.longest()
        self.transport.write(f"{clock * 1000:.3f} {processor * 1000:.3f}\n".encode())
        self.transport.loseConnection()


def main(port: str, heart_port: str) -> None:
    """Run until terminated."""
    options = Options()
    options.parseOptions(["--listen", f"tcp:{port}:interface=127.0.0.1", "--memory", "0", "--no-request-log"])
    service = makeService(options, reactor)
    service.startService()
    heart = Heart()
    TCP4ServerEndpoint(reactor, int(heart_port), interface="127.0.0.1").listen(heart)
    reactor.callWhenRunning(heart.beat)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
