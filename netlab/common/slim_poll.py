"""A poll loop without a log context for each event.

Twisted's reactor wraps every readable or writable socket in a context that tells logs which protocol spoke. Our logs
say that themselves, and measured, the wrapping is a quarter of what a small answer costs. What an event raises is
logged all the same, with the name of its transport. This looks at private attributes of Twisted's epoll reactor, so
this file alone does, and leaves any other reactor as it is.
"""

import errno
from typing import Any

from twisted.application.service import Service
from twisted.python import log

_NEEDED = ("_poller", "_selectables", "_doReadOrWrite")


class SlimPolling(Service):
    """While it runs, the reactor polls without contexts, if it is one that this knows."""

    def __init__(self, reactor: Any) -> None:
        self.setName("slim polling")
        self._reactor = reactor

    def startService(self) -> None:
        """Begin."""
        super().startService()
        if is_known(self._reactor):
            self._reactor.doIteration = self._poll

    def stopService(self) -> None:
        """Have the reactor as it was."""
        super().stopService()
        vars(self._reactor).pop("doIteration", None)

    def _poll(self, timeout: float | None) -> None:
        """What the reactor's own ``doPoll`` does, less the contexts."""
        reactor = self._reactor
        try:
            events = reactor._poller.poll(-1 if timeout is None else timeout, len(reactor._selectables))
        except OSError as error:
            if error.errno == errno.EINTR:
                return
            raise
        selectables, serve = reactor._selectables, reactor._doReadOrWrite
        for descriptor, event in events:
            selectable = selectables.get(descriptor)
            if selectable is not None:
                try:
                    serve(selectable, descriptor, event)
                except KeyboardInterrupt:
                    raise
                except BaseException:
                    log.err(None, "Unhandled error in an event of a transport", system=selectable.logPrefix())


def is_known(reactor: Any) -> bool:
    """Whether it is Twisted's epoll reactor, with all that `SlimPolling` looks at."""
    try:
        from twisted.internet.epollreactor import EPollReactor
    except ImportError:  # no epoll on this system
        return False
    return type(reactor) is EPollReactor and all(hasattr(reactor, name) for name in _NEEDED)
