"""Does a metric mean anything on these images? It is tried on maps of which it is known that they are worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from lumiscope.statistics import Groups, mean_interval, mean_of_known
from lumiscope.types import DoubleArray

FALLS = 0.5  # three of four pairs of steps in order
HARDLY = 0.2  # three of five


@dataclass(frozen=True)
class Trial:
    """What a metric did on images. `images`: on which maps were made worse.

    `alpha`: Krippendorff's, of the order of the methods over images; NaN with fewer than 2 methods or images. `fall`:
    Goodman and Kruskal's gamma of the score with the share of noise, 1: falls with every step. `low`, `high`: its 95 %
    interval.
    `above_inverted`, `above_random`, `above_centred`: share of images where a map beats itself upside down, the random
    and the centred map, ties half; `true_effect_above`: how often the map of true effects beats these three. NaN where
    nothing can be compared.
    """

    images: int
    alpha: float
    fall: float
    low: float
    high: float
    above_inverted: float
    above_random: float
    above_centred: float
    true_effect_above: float

    @property
    def reliability(self) -> str:
        """In a word.

        "holds": it is shown to fall with noise, and does in three of four pairs of steps. "meaningless": it is shown to
        fall in fewer than three of five. "weak": it is shown to fall, less often. "unknown": these images show neither.
        """
        if self.low > 0 and self.fall >= FALLS:
            return "holds"
        if self.high < HARDLY:
            return "meaningless"
        return "weak" if self.low > 0 else "unknown"


def try_metric(
    scores: Mapping[str, Mapping[str, float]],
    degraded: Sequence[Sequence[float]],
    *,
    random: Sequence[float] = (),
    centred: Sequence[float] = (),
    truest: Sequence[float] = (),
    higher: bool,
    groups: Groups | None = None,
    seed: int = 0,
) -> Trial:
    """What a metric did. `scores`: method -> image -> score, those that can be told.

    `degraded`: image by image the score of a map, of the map with more and more noise, and last of the map upside down;
    images where one of them cannot be told are to be left out. `random`, `centred`, `truest`: on the same images the
    score of these baselines and of the map of true effects, NaN where it cannot be told. `groups`: of these images.
    `higher`: whether that is good. Sources: Zheng et al. 2025, F-Fidelity (maps made worse by known degrees); Tomsett
    et al. 2020, Sanity Checks for Saliency Metrics (alpha over images).
    """
    sign = 1.0 if higher else -1.0
    ladders = [sign * np.asarray(ladder, np.float64) for ladder in degraded]
    falls = np.array([_fall(ladder[:-1]) for ladder in ladders])
    first, inverted = (np.array([ladder[end] for ladder in ladders]) for end in (0, -1))
    at_random, in_middle, best = (sign * np.asarray(scores, np.float64) for scores in (random, centred, truest))
    low, high = mean_interval(falls, bounds=(-1, 1), groups=groups, seed=seed) if ladders else (np.nan, np.nan)
    return Trial(
        images=len(ladders),
        alpha=alpha_of_orders(scores),
        fall=float(falls.mean()) if ladders else np.nan,
        low=low,
        high=high,
        above_inverted=_beats(first, inverted),
        above_random=_beats(first, at_random),
        above_centred=_beats(first, in_middle),
        true_effect_above=_beats(np.tile(best, 3), np.concatenate([at_random, in_middle, inverted])),
    )


def alpha_of_orders(scores: Mapping[str, Mapping[str, float]]) -> float:
    """Krippendorff's alpha of the ranks of methods, (method -> image -> score), over the images that all have that
    have any.

    1: every image orders the methods alike; 0: as chance would; below: images contradict each other. Ranks as interval
    data: 1 - observed / expected disagreement (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability).
    NaN with fewer than 2 methods or images, and where every image ties all methods.
    """
    known = [of for of in scores.values() if of]
    images = [image for image in (known[0] if known else {}) if all(image in of for of in known)]
    if len(known) < 2 or len(images) < 2:
        return float("nan")
    ranks = np.array([rankdata([of[image] for of in known]) for image in images])
    expected = ranks.var(ddof=1)
    return float(1 - ranks.var(axis=0, ddof=1).mean() / expected) if expected > 0 else float("nan")


def _beats(first: DoubleArray, second: DoubleArray) -> float:
    """Share of images where the first score is the higher one, ties half, of those where both are known."""
    if first.shape != second.shape:
        return float("nan")
    return mean_of_known((0.5 + 0.5 * np.sign(first - second)).tolist())


def _fall(ladder: DoubleArray) -> float:
    """Goodman and Kruskal's gamma of steps down a ladder: of pairs that differ, those that fall less those that rise.

    So a score that is 1 or 0 falls as well as another. 0 where all are the same.
    """
    first, second = np.triu_indices(len(ladder), 1)
    signs = np.sign(ladder[first] - ladder[second])
    return float(signs.sum() / max(np.abs(signs).sum(), 1))
