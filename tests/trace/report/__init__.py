"""Tests of netlab.trace.report."""
