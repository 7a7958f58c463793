"""What holds the walls between the packages: `tests/test_architecture.py` runs it."""
