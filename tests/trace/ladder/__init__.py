"""Tests of netlab.trace.ladder."""
