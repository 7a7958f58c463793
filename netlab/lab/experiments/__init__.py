"""The classic experiments, one a file; `netlab lab new` makes another."""
