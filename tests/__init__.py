"""The tests mirror `netlab/`. They run under `pytest` and under `trial tests`."""
