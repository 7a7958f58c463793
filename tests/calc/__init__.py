"""Tests of `netlab.calc`."""
