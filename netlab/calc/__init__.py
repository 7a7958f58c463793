"""The calculator lab: its wire, its expressions, its daemon and its client (protocols.md §1)."""
