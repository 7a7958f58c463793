"""Tests of netlab.trace."""
