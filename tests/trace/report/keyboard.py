"""A real Chromium without a window whose keyboard a test has: DevTools' protocol over a pipe, no port."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PATIENCE = 60.0
#: What a key types, and its code, as DevTools' Input.dispatchKeyEvent has them.
KEYS = {"Tab": ("", 9), "Enter": ("\r", 13), " ": (" ", 32)}


class Browser:
    """One page; `press` keys in it, and `ask` what it has become. Call `close` in the end."""

    def __init__(self, command: Sequence[str], page: Path) -> None:
        """Open ``page``; Chromium reads what it is to do from descriptor 3, and answers on 4."""
        theirs, self._to = os.pipe()
        self._from, answers = os.pipe()
        theirs, answers = _beyond(theirs), _beyond(answers)
        # A shell gives the pipes their numbers.
        words = ["bash", "-c", f'exec "$@" 3<&{theirs} 4>&{answers}', "bash", *command, "--remote-debugging-pipe"]
        self._process = subprocess.Popen(
            [*words, "about:blank"],
            pass_fds=(theirs, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(answers)
        self._number = 0
        self._held = b""
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Page.navigate", url=page.as_uri())
        self._until("Page.loadEventFired")

    def close(self) -> None:
        """End the browser."""
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def press(self, key: str) -> None:
        """Press a key, and let it go."""
        text, code = KEYS[key]
        what = {"key": key, "code": key.strip() or "Space", "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **what, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **what)

    def ask(self, expression: str) -> Any:
        """What a JavaScript expression, or a promise of it, is."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return found["result"].get("value")

    def call(self, method: str, **words: Any) -> dict[str, Any]:
        """Call a method of DevTools, and wait for its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": words}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != self._number:
            pass
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _until(self, event: str) -> None:
        while self._message().get("method") != event:
            pass

    def _message(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._held:
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._from, 65_536) if ready else b""
            assert data, "the browser said nothing"
            self._held += data
        first, _, self._held = self._held.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message


def _beyond(descriptor: int) -> int:
    """The same under a number that is neither 3 nor 4."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10)
    os.close(descriptor)
    return moved
