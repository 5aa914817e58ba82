"""The evaluation server: challenges, what is handed in for them, how it is scored, and who serves that."""
