"""Tests of the lab bench."""
