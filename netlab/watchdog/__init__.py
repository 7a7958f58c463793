"""The watchdog: it ends a program whose signs of life have stopped (protocols.md §4)."""
