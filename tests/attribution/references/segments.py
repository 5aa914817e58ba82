"""The grid that methods on segments are compared on: few segments, so that every coalition can be tried."""

from __future__ import annotations

import numpy as np

ROWS, COLUMNS = 2, 3
GRID = {"segmenter": "grid", "segmenter_options": {"rows": ROWS, "columns": COLUMNS}}


def segments_of(question):
    """(H, W) ids 0..5, row by row."""
    height, width = question.pixels.shape[:2]
    rows, columns = np.arange(height) * ROWS // height, np.arange(width) * COLUMNS // width
    return rows[:, None] * COLUMNS + columns


def hidden_by_mean(question):
    """(H, W, 3) uint8: each segment in its mean colour, cut off to whole numbers as lime does."""
    hidden, segments = question.pixels.copy(), segments_of(question)
    for segment in range(ROWS * COLUMNS):
        inside = segments == segment
        hidden[inside] = question.pixels[inside].mean(0).astype(np.uint8)
    return hidden
