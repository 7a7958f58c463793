"""Tests of `netlab.common`."""
