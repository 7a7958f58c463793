"""Tests of `netlab.icmp`. How hard their properties are tried is what `tests.calc.cases` says."""

from tests.calc import cases

__all__ = ["cases"]
