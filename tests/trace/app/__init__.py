"""Tests of netlab.trace.app."""
