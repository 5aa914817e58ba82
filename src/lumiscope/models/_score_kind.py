"""What the scores of a classifier are, judged by their values on noise: a network need not say it, nor show it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

ScoreKind = Literal["shares", "chances", "logits"]
"""Probabilities of which one class of all is true; of which each is true or not; numbers of another kind."""
IN_WORDS: dict[ScoreKind, str] = {
    "shares": "add up to 1 and are taken for probabilities",
    "chances": "lie in [0, 1] and are taken for probabilities, each class yes or no",
}
ROUNDING = 1e-6
PERCENT = 100.0
SAME_SUM = 1e-3  # of all that rows differ by: what their sums may
ROUNDED = 8e-3  # of a row of bfloat16, what its sum may be off


def kind_of(scores: NDArray[np.floating[Any]]) -> ScoreKind:
    """The kind of (N, outputs) scores of N pictures of noise, of which those that are not finite tell nothing.

    The more contrasts the noise has, the less it is by chance that all numbers lie in [0, 1].
    """
    known = scores[np.isfinite(scores).all(axis=1)]
    if not known.any() or known.min() < -ROUNDING or known.max() > 1 + ROUNDING:
        return "logits"
    adds_up = scores.shape[1] > 1 and np.allclose(known.sum(axis=1), 1, atol=ROUNDED)
    return "shares" if adds_up else "chances"


def are_labels(scores: NDArray[np.floating[Any]]) -> bool:
    """Whether (N, outputs) scores are a single whole number for each picture."""
    return scores.shape[1] == 1 and are_whole(scores)


def are_whole(scores: NDArray[np.floating[Any]]) -> bool:
    """Whether all numbers are whole."""
    return bool(np.isfinite(scores).all() and (scores == np.round(scores)).all())


def whole_of(scores: NDArray[np.floating[Any]]) -> float | None:
    """What (N, outputs) scores add up to, where they are shares of another whole than 1, such as percentages.

    Numbers of another kind differ in their sums as they differ themselves.
    """
    known = scores[np.isfinite(scores).all(axis=1)].astype(np.float64)
    if len(known) < 2 or known.shape[1] < 2 or known.min() < -ROUNDING:
        return None
    sums, differences = known.sum(axis=1), np.ptp(known, axis=0).sum()
    whole = float(sums.mean())
    if differences <= ROUNDING * whole or np.ptp(sums) > SAME_SUM * differences:
        return None
    return float(round(whole)) if abs(whole - round(whole)) < SAME_SUM * whole else whole


def are_percentages(scores: NDArray[np.floating[Any]]) -> bool:
    """Whether (N, outputs) scores, of which one is more than 1, lie in [0, 100]."""
    known = scores[np.isfinite(scores).all(axis=1)]
    return bool(known.size and known.min() >= -ROUNDING and 1 < known.max() <= PERCENT * (1 + ROUNDING))
