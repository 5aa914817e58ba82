"""The evaluation server: explanations are handed in, scored on hidden truth, and shown on a leaderboard."""
