"""The servers of the laboratory as data (protocols.md §2)."""

from attrs import field, frozen, validators

#: Bytes that one `recv` may ask for.
MAX_RECEIVE_SIZE = 1 << 20

#: How often one piece may be repeated in its answer. Answers are made as they are sent, so this costs no memory.
MAX_REPEAT = 1_000_000

#: Seconds before one `recv`.
MAX_DELAY = 3_600.0


@frozen
class Variant:
    """What a server does with each connection, again and again: wait, receive, answer."""

    name: str
    #: Bytes to ask the kernel for at a time; whatever comes is one message.
    receive_size: int = field(validator=[validators.ge(1), validators.le(MAX_RECEIVE_SIZE)])
    #: How often each message stands in its answer.
    repeat: int = field(default=1, validator=[validators.ge(1), validators.le(MAX_REPEAT)])
    #: Seconds to wait before every `recv`, the last empty one too.
    delay: float = field(default=0.0, validator=[validators.ge(0.0), validators.le(MAX_DELAY)])
    #: After how many messages the server closes; `None` for when the client has closed.
    messages: int | None = field(default=None, validator=validators.optional(validators.ge(1)))

    def __str__(self) -> str:
        """What it does, in a line: ``v2: recv(5), upper case, send; until the client closes``."""
        wait = f"wait {self.delay:g} s, " if self.delay else ""
        often = f" × {self.repeat:,}" if self.repeat > 1 else ""
        until = "until the client closes"
        if self.messages:
            until = f"{self.messages:,} times, then close" if self.messages > 1 else "once, then close"
        return f"{self.name}: {wait}recv({self.receive_size}), upper case{often}, send; {until}"


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("session", 100, messages=2),
        Variant("v1", 1024),
        Variant("v2", 5),
        Variant("v3", 1024, repeat=1_000),
        Variant("v4", 1024, delay=5.0),
    )
}
