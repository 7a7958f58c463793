"""The file server."""
