"""Tests of netlab.trace.words."""
