"""Slow, plain re-implementations of every trust metric. Importing this module registers them."""

from __future__ import annotations

import numpy as np

from lumiscope.testing import Question, replicates_metric


@replicates_metric("faithfulness")
def faithfulness(question: Question, masks: list[np.ndarray]) -> list[float]:
    pixels = question.pixels.astype(np.float64)
    hidden = np.broadcast_to(np.round(pixels.mean(axis=(0, 1))), pixels.shape)

    def probability(shown: np.ndarray) -> float:
        picture = np.where(shown[:, :, None], pixels, hidden)
        return float(question.probabilities(question.image_of(picture))[question.target])

    everything = np.ones(pixels.shape[:2], bool)
    whole, nothing = probability(everything), probability(~everything)
    values = []
    for mask in masks:
        comprehensiveness = min((whole - probability(~mask)) / (whole - nothing), 1)
        sufficiency = min((probability(mask) - nothing) / (whole - nothing), 1)
        values.append((comprehensiveness + sufficiency) / 2 - mask.mean())
    return values
