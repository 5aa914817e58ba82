"""Which similarity "auto" means: a rule over what the concept scores are and how many probing images show a concept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.dissection.similarity.blocks import in_blocks
from lumiscope.dissection.similarity.wpmi import TOP_IMAGES
from lumiscope.types import IntArray

SHARE_OF_CONCEPTS = 0.75
STANDS_OUT = 2 / 3  # of the way from a concept's mean score to its maximum: noise gets there on too few images


def choose_similarity(concept_scores: Columns, *, class_units: bool) -> tuple[str, str]:
    """Choose a similarity for `concept_scores` (D, K), and say why in a sentence. Returns (name, reason).

    `class_units`: for the units that are the classes' scores; else for those of inner layers.
    Annotations, which are 0 or 1, are compared by Pearson's correlation: F1, IoU and average precision prefer concepts
    that are nearly everywhere, WPMI knows only the top images. Scores are compared by the cosine of the cubed columns;
    those of class units by WPMI where three concepts in four stand out on at least as many images as it looks at: with
    fewer, the top images of most units show something else. A concept stands out on an image where its score is in the
    upper third between its mean and its maximum. Measured in docs/dissection.md.
    """
    per_block = list(in_blocks(_binary_and_standing_out, concept_scores))
    if all(binary for binary, _ in per_block):
        return "pearson", "similarity pearson was chosen: the concepts are annotated as present or absent."
    if not class_units:
        return (
            "cos_cubed",
            "similarity cos_cubed was chosen for inner layers: there it names more units rightly than wpmi.",
        )
    counts = np.concatenate([counts_of_block for _, counts_of_block in per_block])
    typical = int(np.quantile(counts, 1 - SHARE_OF_CONCEPTS, method="lower"))
    seen = f"three concepts in four stand out on {typical} or more of the {len(concept_scores)} probing images"
    if typical >= TOP_IMAGES:
        return "wpmi", f"similarity wpmi was chosen for class units: {seen}."
    return "cos_cubed", f"similarity cos_cubed was chosen for class units: {seen}, and wpmi looks at {TOP_IMAGES}."


def _binary_and_standing_out(_: slice, scores: NDArray[np.floating[Any]]) -> tuple[bool, IntArray]:
    """Whether all scores are 0 or 1, and (k,) on how many images each concept stands out. `scores`: (D, k)."""
    mean = scores.mean(axis=0, dtype=np.float64)
    high = mean + STANDS_OUT * (scores.max(axis=0) - mean)
    return bool(((scores == 0) | (scores == 1)).all()), np.count_nonzero(scores > high, axis=0)
