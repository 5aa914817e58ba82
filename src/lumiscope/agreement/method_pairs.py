"""How the methods of one model differ by a measure: pairs on the same images, and ranks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lumiscope.runs import MARGIN, MethodDifferenceRow, MethodRankRow
from lumiscope.statistics import Groups, PairComparison, compare_methods, equivalence_test, rank_probabilities
from lumiscope.types import DoubleArray

WITHOUT_MARGIN = ("sharpness",)
FEWEST = 10  # images: of fewer, one of several equal methods is often first in nearly all resamples


def method_differences(
    model: str, measure: str, scores: Mapping[str, Mapping[str, float]], groups: Groups | None = None, *, seed: int = 0
) -> list[MethodDifferenceRow]:
    """Every pair of methods. `scores`: method -> image -> value; images that all methods have count.

    `groups`: one label for each of these images, in the order of the first method; None: each by itself.
    """
    names, matrix = _matrix(scores)
    if not matrix.size:
        return []
    return [
        MethodDifferenceRow(
            model=model,
            measure=measure,
            method_a=names[pair.first],
            method_b=names[pair.second],
            images=len(matrix),
            difference=pair.difference,
            low=pair.low,
            high=pair.high,
            p_value=pair.p_value,
            p_adjusted=pair.p_adjusted,
            superiority=pair.superiority.probability,
            superiority_low=pair.superiority.low,
            superiority_high=pair.superiority.high,
            p_equivalent=None if measure in WITHOUT_MARGIN else _equivalence(matrix, pair, groups),
        )
        for pair in compare_methods(matrix, groups=groups, seed=seed)
    ]


def _equivalence(matrix: DoubleArray, pair: PairComparison, groups: Groups | None) -> float:
    differences = matrix[:, pair.first] - matrix[:, pair.second]
    return equivalence_test(differences, MARGIN, bounds=(-1, 1), groups=groups).p_value


def method_ranks(
    model: str, measure: str, scores: Mapping[str, Mapping[str, float]], groups: Groups | None = None, *, seed: int = 0
) -> Iterator[MethodRankRow]:
    """Every method and rank; see `method_differences`. Shares are NaN where fewer than 10 images, or groups, count."""
    names, matrix = _matrix(scores)
    if not matrix.size:
        return
    count = len(matrix if groups is None else set(groups))
    enough = count >= FEWEST
    table = (
        rank_probabilities(matrix, groups=groups, seed=seed) if enough else np.full((len(names), len(names)), math.nan)
    )
    for method, shares, mean in zip(names, table, matrix.mean(0), strict=True):
        for rank, share in enumerate(shares, 1):
            yield MethodRankRow(
                model=model,
                measure=measure,
                method=method,
                rank=rank,
                share=float(share),
                mean=float(mean),
                reason="" if enough else f"ranks take {FEWEST} images or more; there are {count}",
            )


def shared_images(scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The images that all methods have, in the order of the first."""
    first, *others = scores.values()
    return [image for image in first if all(image in other for other in others)]


def _matrix(scores: Mapping[str, Mapping[str, float]]) -> tuple[Sequence[str], DoubleArray]:
    """(n, k): a row an image, a column a method; empty with fewer than two methods."""
    if len(scores) < 2:
        return [], np.zeros((0, 0))
    images = shared_images(scores)
    return list(scores), np.array([[scores[name][image] for name in scores] for image in images], np.float64)
