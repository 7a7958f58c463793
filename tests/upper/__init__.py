"""Tests of `netlab.upper`."""
