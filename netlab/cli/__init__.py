"""The ``netlab`` command: one file a command, imported only when that command runs."""
