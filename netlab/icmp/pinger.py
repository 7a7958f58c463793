"""The pinger: sends the requests of an exchange in their turns, watches their deadlines, and tells what happens."""

import os
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall

from netlab.icmp.events import Event, Target
from netlab.icmp.exchange import Exchange
from netlab.icmp.packet import Family
from netlab.icmp.payload import SECRET_SIZE, LabPayload, Payload, TokenPayload
from netlab.icmp.port import Clocks, IcmpPort
from netlab.icmp.resolving import Resolved
from netlab.icmp.session import Session
from netlab.icmp.sockets import Channel, open_channel
from netlab.icmp.wishes import Rota, Wishes

#: When sending as fast as answers come: requests in flight to a target, and sent at once, at most; bytes in them, for
#: the answers must find room in the socket; and the longest time in seconds that the next ones wait for an answer that
#: does not come. A turn costs little beside a window's answers, and other things wait under 1 ms for it; it reads more
#: than the window, so that it knows when it has read all.
WINDOW = 64
_WINDOW_BYTES = 1 << 19
_PATIENCE = 0.01

#: Turns of reading that a loss may wait for: more than a socket's buffer holds, so that it was all read that came in
#: time; a flood that never ends puts off no loss for ever.
_MAX_POSTPONED = 256


class Pinger:
    """Pings targets; make one, `open` the families, `add` targets, `start`, and `stop` in the end.

    :param reactor: counts time by the monotonic clock (`netlab.common.monotonic`).
    :param told: takes every event as it happens.
    :param sent: takes the target and the number of every request that leaves; `None` if nobody wants to know.
    """

    def __init__(
        self,
        reactor: Any,
        wishes: Wishes,
        told: Callable[[Event], object],
        sent: Callable[[Target, int], object] | None = None,
        clocks: Clocks | None = None,
        opener: Callable[[Family, int | None], Channel] = open_channel,
    ) -> None:
        self.exchange = Exchange(int(wishes.timeout * 10**9))
        self._reactor = reactor
        self._wishes = wishes
        self._told = told
        self._when_sent = sent
        self._clocks = clocks or Clocks()
        self._opener = opener
        self._ports: dict[Family, IcmpPort] = {}
        self._routes: list[tuple[Session, IcmpPort, Any]] = []
        self._finished: Deferred[None] | None = None
        #: Whether nothing may be sent: not yet, or, since whoever is told of an event may call `stop`, no more.
        self._is_over = True
        #: Requests to each target.
        self._most = sys.maxsize if wishes.count is None else wishes.count
        self._loop: LoopingCall | None = None
        self._timers: dict[Callable[[], None], IDelayedCall] = {}
        self._window = max(1, min(WINDOW, _WINDOW_BYTES // max(1, wishes.payload_size)))
        self._postponed = 0
        self._turn = 0
        self._next = 0

    def open(self, family: Family) -> None:
        """Have a socket for ``family``.

        :raises NoSocket: it is not allowed, or there is none.
        """
        if family not in self._ports:
            channel = self._opener(family, self._wishes.ttl)
            self._ports[family] = IcmpPort(
                self._reactor,
                channel,
                self.exchange,
                self._told,
                self._wishes.payload_size,
                self._clocks,
                self._rested,
            )

    def add(self, resolved: Resolved) -> Session:
        """Have one more target, now or while pinging.

        :raises NoSocket: there can be no socket for its family.
        :raises UnknownTarget: it is a target already, by this or another name.
        """
        target = resolved.target
        self.open(target.family)
        port = self._ports[target.family]
        session = Session(target, port.channel.identifier, self._payload(), self.exchange.timeout)
        self.exchange.add(session)
        self._routes.append((session, port, resolved.socket_address))
        if self._finished is not None:
            port.start()
            self._begin_turns()
        return session

    def start(self) -> Deferred[None]:
        """Ping; fires when it is done: every request has been sent and its fate is known, or the deadline is there."""
        self._finished = Deferred()
        self._is_over = False
        for port in self._ports.values():
            port.start()
        self._begin_turns()
        if self._wishes.deadline is not None:
            self._later(self._wishes.deadline, self._finish)
        return self._finished

    def stop(self) -> None:
        """Stop sending and receiving; what is in flight stays so. The Deferred of `start` fires, if it has not."""
        self._is_over = True
        self._stop_turns()
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        self._timers.clear()
        for port in self._ports.values():
            port.close()
        self._ports.clear()
        if self._finished is not None and not self._finished.called:
            self._finished.callback(None)

    # ---- sending

    def _payload(self) -> Payload:
        if self._wishes.lab:
            return LabPayload()
        return TokenPayload(os.urandom(SECRET_SIZE), self._wishes.size)

    def _begin_turns(self) -> None:
        """Set the pace for the targets there are."""
        first = self._loop is None
        self._stop_turns()
        if not self._wishes.interval:
            self._loop, period = LoopingCall(self._send_burst, 1), _PATIENCE
        else:
            rota = Rota.of(max(1, len(self._routes)), self._wishes.interval)
            self._loop, period = LoopingCall(self._send_group, rota.groups), rota.period
        self._loop.clock = self._reactor
        self._loop.start(period, now=first)

    def _stop_turns(self) -> None:
        if self._loop is not None and self._loop.running:
            self._loop.stop()

    def _send_group(self, groups: int) -> None:
        """One turn: send to the targets of one group."""
        for session, port, address in self._routes[self._turn % groups :: groups]:
            self._send(1, session, port, address)
        self._turn += 1
        self._sent()

    def _send_burst(self, least: int) -> None:
        """One turn when sending as fast as answers come: fill up what is in flight, a bounded number of requests.

        To each target at least so many are sent, however many are in flight.
        """
        left = self._window
        for _ in range(len(self._routes)):
            session, port, address = self._routes[self._next % len(self._routes)]
            self._next += 1
            left -= self._send(min(left, max(least, self._window - session.in_flight)), session, port, address)
            if not left:  # the next turn begins with the next target
                break
        self._sent()

    def _send(self, most: int, session: Session, port: IcmpPort, address: Any) -> int:
        """Send so many requests, or as many as are left; how many that were."""
        packets = [] if self._is_over else session.packets(min(most, self._most - session.sent))
        if not packets:
            return 0
        times, reason = port.send(packets, address)
        requests = self.exchange.begin(session, times)
        if reason is not None:
            self._told(session.fail(requests[0].number, reason))
        elif self._when_sent is not None:
            for request in requests:
                self._when_sent(session.target, request.number)
        return len(requests)

    def _sent(self) -> None:
        """After each turn of sending: watch the deadline of what was sent, and see whether that was all."""
        self._watch()
        self._check_finished()

    @property
    def is_pinging(self) -> bool:
        """Whether requests are still being sent in their turns."""
        return self._loop is not None and self._loop.running

    # ---- what came, and what did not

    def _rested(self, more: bool) -> None:
        """After each turn of reading: at full speed, answers make room for more requests.

        But not while there may be more to read, or answers would come faster than they are read.
        """
        if not self._wishes.interval and not more:
            self._send_burst(0)
        else:
            self._check_finished()

    def _watch(self) -> None:
        deadline = self.exchange.next_deadline
        if deadline is not None and self._expire not in self._timers:
            self._later(max(0, deadline - self._clocks.monotonic()) / 10**9, self._expire)

    def _expire(self) -> None:
        """Tell what is lost; but what has come in time and waits to be read is not."""
        # Every socket is read, also when the first has more than one turn's.
        more = [port.read() for port in list(self._ports.values())]
        if any(more) and self._postponed < _MAX_POSTPONED:
            self._postponed += 1
            self._later(0, self._expire)
            return
        self._postponed = 0
        for event in self.exchange.expire(self._clocks.monotonic()):
            self._told(event)
        self._watch()
        self._check_finished()

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        """Have a timer, the only one for ``call``."""
        if self._is_over:
            return

        def due() -> None:
            del self._timers[call]
            call()

        self._timers[call] = self._reactor.callLater(seconds, due)

    def _check_finished(self) -> None:
        if self._wishes.count is None or self.exchange.next_deadline is not None:
            return
        if self._routes and all(session.sent >= self._most for session in self.exchange):
            self._finish()

    def _finish(self) -> None:
        if not self._is_over:
            self.stop()
