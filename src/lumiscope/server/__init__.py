"""The evaluation server: explanations are handed in, and scored on hidden truth."""
