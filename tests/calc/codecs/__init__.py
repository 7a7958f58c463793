"""Tests of `netlab.calc.codecs`."""
