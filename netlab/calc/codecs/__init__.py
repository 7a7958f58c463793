"""The forms in which calculator bodies are written: pickle, as deployed programs send it, and JSON."""
