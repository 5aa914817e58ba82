"""Does a number tell two groups of images apart? The area under the ROC curve with its test and interval."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics._kept_draws import Draws
from lumiscope.statistics.exchange import Exchange
from lumiscope.statistics.groups import Groups, clusters, group_numbers
from lumiscope.types import BoolArray, DoubleArray

EXACT_UP_TO = 5_000  # ways to choose the group
ROUNDING = 1e-9  # sums of ranks are multiples of a half


@dataclass(frozen=True)
class Separation:
    """`auroc`: P(higher in the group) with ties as half. `low`, `high`: its 95 % interval. `p_value`: two-sided."""

    auroc: float
    low: float
    high: float
    p_value: float


def separation(
    values: DoubleArray | Sequence[float],
    group: BoolArray | Sequence[bool],
    *,
    permutations: int = 10_000,
    groups: Groups | None = None,
    seed: int = 0,
) -> Separation:
    """How well `values`, (n,), tell the images of `group`, (n,) bool, from the others.

    The p-value is that of an AUROC as far from 1/2 if the group were any of its size: all such groups up to 5,000, else
    p = (c + 1) / (m + 1) of m drawn ones. The interval is method 5 of Newcombe 2006, Confidence intervals for an effect
    size measure based on the Mann-Whitney statistic, part 2. `groups`: one label per image where images come in
    clusters, such as classes; then whole ones of equal size change places, and images within them, and such orders are
    always drawn (one of a size that no other has keeps its place), and the interval counts the clusters that have
    images in the group, and those that have others, not the images. All is NaN where `group` holds no image or all.
    Errors: `UsageError` for lengths that differ, for numbers that are not finite, and unless `groups` has one label per
    image.
    """
    numbers, inside = np.asarray(values, np.float64), np.asarray(group, np.bool_)
    if numbers.shape != inside.shape or numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise UsageError(f"expected a finite number and a group of each image; got {numbers.shape} and {inside.shape}")
    groups = clusters(groups, len(inside))
    size, others = int(inside.sum()), int((~inside).sum())
    if not size or not others:
        return Separation(math.nan, math.nan, math.nan, math.nan)
    from scipy.stats import rankdata

    ranks = rankdata(numbers)
    auroc = (float(ranks[inside].sum()) - size * (size + 1) / 2) / (size * others)
    if groups is not None:
        numbered = group_numbers(groups, len(inside))
        size, others = len(np.unique(numbered[inside])), len(np.unique(numbered[~inside]))
    return Separation(auroc, *_interval(auroc, size, others), _p_value(ranks, inside, permutations, groups, seed))


def _p_value(ranks: DoubleArray, inside: BoolArray, permutations: int, groups: Groups | None, seed: int) -> float:
    size, total = int(inside.sum()), len(ranks)
    middle = size * (total + 1) / 2
    least = abs(float(ranks[inside].sum()) - middle) - ROUNDING
    if groups is None and math.comb(total, size) <= EXACT_UP_TO:
        sums = ranks[np.array(list(itertools.combinations(range(total), size)))].sum(axis=1)
        return float(np.mean(np.abs(sums - middle) >= least))
    places = np.arange(size) if groups is None else np.flatnonzero(inside)  # of single images any places do
    draws = Draws(Exchange.of(total, groups), seed)
    extreme = draws.count(permutations, lambda block: np.abs(ranks[block[places]].sum(axis=0) - middle) >= least)
    return (extreme + 1) / (permutations + 1)


def _interval(auroc: float, size: int, others: int) -> tuple[float, float]:
    return 1 - _highest(1 - auroc, size, others), _highest(auroc, size, others)


def _highest(auroc: float, size: int, others: int) -> float:
    """The highest AUROC from which the observed one is 1.96 of *its* standard errors away; 1 for an observed 1."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    z, between = float(norm.ppf(0.975)), (size + others) / 2 - 1
    if auroc == 1:
        return 1.0

    def beyond(true: float) -> float:
        """How much further it is than 1.96 standard errors, squared; of an observed 0 over `true`, else 0 is a root."""
        spread = 1 + between * ((1 - true) / (2 - true) + true / (1 + true))
        variance = z**2 * (1 - true) * spread / (size * others)
        return true - variance if auroc == 0 else (true - auroc) ** 2 - true * variance

    return float(brentq(beyond, auroc, 1))
