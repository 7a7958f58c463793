"""Claims that experiments are made of; each function gives one."""
