"""Capturing: packets from the kernel into a file."""
