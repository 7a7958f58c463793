"""What every lab stands on: errors, deadlines, what daemons and clients do alike. It imports nothing of ours."""
