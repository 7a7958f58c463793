"""The golden exchanges in ``tests/data``, recorded from the deployed programs."""

import json
from pathlib import Path
from typing import Any

from netlab.calc.header import HEADER_LENGTH

_PATH = Path(__file__).resolve().parent.parent / "data" / "calc_vectors.json"


class Vector:
    """One exchange: the text, the request as sent, and what came back; ``steps`` is the truth."""

    def __init__(self, recorded: dict[str, Any]) -> None:
        self.text: str = recorded["text"]
        self.protocol: int = recorded["protocol"]
        self.request = bytes.fromhex(recorded["request"])
        self.status: int = recorded["status"]
        self.response_length: int = recorded["response_length"]
        self.cache: bool = recorded["cache"]
        self.show_steps: bool = recorded["show_steps"]
        self.max_age: int = recorded["cache_control"]
        self.body = bytes.fromhex(recorded["body"])
        self.result: str | None = recorded.get("result")
        self.steps: list[str] = recorded.get("steps", [])
        self.old_steps: list[str] | None = recorded.get("old_steps")
        self.error: tuple[str, str, list[Any]] | None = tuple(recorded["error"]) if "error" in recorded else None

    @property
    def request_body(self) -> bytes:
        """The request without its header."""
        return self.request[HEADER_LENGTH:]

    @property
    def wants_steps(self) -> bool:
        """Bit S of the request."""
        return bool(self.request[6] & 0x08)


VECTORS = {f"{number:02}": Vector(recorded) for number, recorded in enumerate(json.loads(_PATH.read_text("utf-8")))}
