"""When a published best moves, and what is said of it: so that nobody learns hidden truth from the leaderboard.

Blum and Hardt 2015, The Ladder: A Reliable Leaderboard for Machine Learning Competitions: a new best is published
where it beats the old one by more than the noise of their differences on the images. Neto et al. 2016 (arXiv
1607.00091): what is published is the mean of a bootstrap sample, since a short ladder can be climbed by guessing.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lumiscope.statistics import mean_interval
from lumiscope.types import DoubleArray

STEP = 0.01
"""To which a hidden mean is rounded."""
SURE = 0.95
FEWEST = 3
"""Images whose differences say something about noise."""
ROUNDING = 1e-12
DIGITS = 6  # of scores that are the same


@dataclass(frozen=True)
class Released:
    """A hidden mean as it may be known, with its 95 % interval: multiples of 0.01."""

    mean: float
    low: float
    high: float


def beats_noise(new: DoubleArray, best: DoubleArray) -> bool:
    """Whether scores `new`, (n,), of the same images, are above the published `best` by more than noise.

    The lower end of Student's one-sided 95 % interval of the mean difference lies above 0. So a hand-in that is better
    on a single image, as one that asks for its mask is, moves nothing: its t is 1, for any n. Equal differences on all
    images have no noise. Fewer than 3 images cannot show any.
    """
    differences = np.asarray(new, np.float64) - np.asarray(best, np.float64)
    if len(differences) < FEWEST or differences.mean() <= ROUNDING:
        return False
    if np.ptp(differences) <= ROUNDING:
        return True
    low, _ = mean_interval(differences, confidence=2 * SURE - 1, skewed=False)
    return bool(low > ROUNDING)


def release(hidden: DoubleArray, secret: bytes) -> Released:
    """What may be known of the scores of hidden images, `hidden`: (n,) in [0, 1].

    The mean is that of a bootstrap sample, which `secret` and the scores draw: asking again with equal scores, under
    whatever name, gives the same sample and averages nothing out.
    """
    values = np.asarray(hidden, np.float64)
    key = hmac.new(secret, np.round(values, DIGITS).astype("<f8").tobytes(), hashlib.sha256).digest()
    sample = np.random.default_rng(int.from_bytes(key)).choice(values, len(values))
    low, high = mean_interval(values, bounds=(0, 1))
    shift = float(sample.mean() - values.mean())
    return Released(rounded(float(sample.mean())), _bound(low + shift, math.floor), _bound(high + shift, math.ceil))


def rounded(mean: float) -> float:
    """To the nearest multiple of 0.01."""
    return round(round(mean / STEP) * STEP, 2)


def _bound(end: float, to_whole: Callable[[float], int]) -> float:
    steps = to_whole(round(end / STEP, 6))
    return float(min(1.0, max(0.0, round(steps * STEP, 2))))
