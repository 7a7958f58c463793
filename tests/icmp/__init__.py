"""Tests of netlab.icmp."""
