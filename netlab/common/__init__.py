"""What every lab stands on: the error roots and the rules of deadlines. It imports nothing of ours."""
