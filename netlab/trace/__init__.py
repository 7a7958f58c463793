"""The microscope: captures read packet by packet, and what TCP did in them explained with its arithmetic."""
