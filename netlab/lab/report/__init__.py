"""The report of an experiment: for a terminal, as Markdown, and as a page."""
