"""Reports: a capture told as text, Markdown, or a page."""
