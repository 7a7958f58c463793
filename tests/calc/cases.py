"""Test methods made from tables, and how hard the property tests try.

With ``NETLAB_FUZZ=1`` every property is tried 50 times as often. Where ``CI`` is set, hypothesis draws the same
examples each time, so that a change is judged by itself and not by luck.
"""

import os
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

_TIMES = 50 if os.environ.get("NETLAB_FUZZ") == "1" else 1

settings.register_profile(
    "netlab",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("netlab")


def tries(examples: int) -> settings:
    """How many examples a property of the suite is tried with; decorates a test, next to ``@given``."""
    return settings(settings.get_profile("netlab"), max_examples=examples * _TIMES)


class _ForEach:
    """A test that becomes one method a case when its class is made."""

    def __init__(self, cases: Mapping[str, Any], test: Callable[..., None]) -> None:
        self.cases = cases
        self.test = test

    def __set_name__(self, owner: type, name: str) -> None:
        for label, case in self.cases.items():
            words = "".join(character if character.isalnum() else "_" for character in label)
            made = _bound(self.test, case)
            made.__name__ = f"{name}_{words}"
            while made.__name__ in owner.__dict__:
                made.__name__ += "_"
            made.__doc__ = f"{(self.test.__doc__ or '').strip()} [{label}]"
            setattr(owner, made.__name__, made)
        delattr(owner, name)


def _bound(test: Callable[..., None], case: Any) -> Any:
    def method(self: Any) -> None:
        test(self, case)

    return method


def for_each(cases: Mapping[str, Any] | Iterable[str]) -> Callable[[Callable[..., None]], Any]:
    """Decorate ``test_name(self, case)`` to become a method ``test_name_label`` for every label and case."""
    table = cases if isinstance(cases, Mapping) else {label: label for label in cases}
    return lambda test: _ForEach(table, test)


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """One of ``seeds`` with a few bytes overwritten, put in, taken out or copied from elsewhere in it."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 1, 1, 2, 8, 30])))
        if draw(st.booleans()):
            data[start:end] = draw(st.binary(max_size=4))
        else:
            other = draw(st.integers(0, len(data)))
            data[start:end] = data[other : other + draw(st.sampled_from([1, 2, 12, 40]))]
    return bytes(data)


def peak_memory(work: Callable[[], object]) -> int:
    """The most bytes of Python memory that ``work`` held at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
