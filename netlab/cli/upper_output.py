"""What ``netlab upper`` shows of a connection: each call as a line, or one JSON object."""

import json
import time
from abc import abstractmethod

import click

from netlab.common.printable import printable
from netlab.upper.calls import Await, Call, EndSending, Receive, ResetAtClose, Send
from netlab.upper.ending import Ending, count_text
from netlab.upper.playing import Watcher

#: Bytes of a message that are shown in a line, and of all that came in an object.
_SHOWN = 60
_KEPT = 1_000

#: Reads that are listed in an object.
_MAX_READS = 1_000

#: Seconds of waiting that are worth telling.
_LONG = 0.1


class Output(Watcher):
    """What both outputs have: who is there, and how long it takes."""

    def __init__(self) -> None:
        self.peer = ""
        self._began = self._call_began = time.monotonic()

    def connected(self, peer: str) -> None:
        """Begin to count."""
        self.peer = peer
        self._began = time.monotonic()

    def begins(self, call: Call) -> None:
        """Count the time of this call."""
        self._call_began = time.monotonic()

    @abstractmethod
    def ended(self, ending: Ending) -> None:
        """It is over."""


class Story(Output):
    """A line for each thing that happened."""

    def __init__(self, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def connected(self, peer: str) -> None:
        """Say so."""
        super().connected(peer)
        self._tell("Connection established")

    def made(self, call: Call, data: bytes) -> None:
        """Say what was done."""
        match call:
            case Send():
                self._tell(f"Sent {count_text(call.length)}{self._later()}", call.piece)
            case Receive() if data:
                self._tell(f"Got {count_text(len(data))}{self._later()}", data)
            case Receive():
                self._tell(f"Got the end of the stream{self._later()}")
            case Await():
                self._tell(f"More has come, and stays unread{self._later()}")
            case EndSending():
                self._tell("Ended the sending, which sends a FIN")
            case ResetAtClose():
                self._tell("Closing without a goodbye")

    def ended(self, ending: Ending) -> None:
        """Say how, and what there was in all."""
        seconds = time.monotonic() - self._began
        self._tell(f"Connection {ending} ({count_text(ending.sent)} sent, {seconds:.2f} s)")

    def _later(self) -> str:
        seconds = time.monotonic() - self._call_began
        return f" after {seconds:.2f} s" if seconds >= _LONG else ""

    def _tell(self, what: str, data: bytes = b"") -> None:
        line = f"{{{printable(self.peer)}}} {what}" + (":" if data else "")
        shown = click.style(line, dim=True) if self._colour else line
        click.echo(shown + (f" {_text(data, _SHOWN)}" if data else ""), color=self._colour)


class JsonObject(Output):
    """One object, when it is over (docs/upper.md)."""

    def __init__(self) -> None:
        super().__init__()
        self._sends = 0
        self._reads: list[int] = []
        self._read_count = 0
        self._data = b""

    def made(self, call: Call, data: bytes) -> None:
        """Count it."""
        if isinstance(call, Send):
            self._sends += 1
        elif isinstance(call, Receive):
            self._read_count += 1
            if len(self._reads) < _MAX_READS:
                self._reads.append(len(data))
            self._data += data[: _KEPT + 1 - len(self._data)]

    def ended(self, ending: Ending) -> None:
        """Write the object."""
        fields = {
            "peer": self.peer,
            "sends": self._sends,
            "sent": ending.sent,
            "read_calls": self._read_count,
            "reads": self._reads,
            "received": ending.received,
            "text": _text(self._data, _KEPT),
            "unread": ending.unread,
            "ending": ending.how.name.lower(),
            "sends_reset": ending.resets,
            "words": str(ending),
            "seconds": round(time.monotonic() - self._began, 6),
        }
        click.echo(json.dumps(fields))


def _text(data: bytes, most: int) -> str:
    """Bytes as a person reads them, shortened to ``most``."""
    text = printable(data[:most].decode(errors="backslashreplace"))
    return text + ("…" if len(data) > most else "")
