"""Ladder diagrams: who said what to whom and when, as values, and written as text, SVG or Mermaid."""
