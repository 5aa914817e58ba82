"""Is a mean of paired differences more than luck? The sign-flip permutation test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.statistics._draws import share_of_draws
from lumiscope.statistics._kept_draws import Block, Draws
from lumiscope.statistics._packed import packed, packed_sums
from lumiscope.statistics.groups import Groups, grouped
from lumiscope.types import DoubleArray

Alternative: TypeAlias = Literal["greater", "less", "two-sided"]
ALTERNATIVES: tuple[Alternative, ...] = get_args(Alternative)

EXACT_UP_TO = 12
# Two sums of the same numbers in another order differ by rounding, and must still count as a tie.
ROUNDING = 1e-12


def sign_flip_test(
    differences: DoubleArray | Sequence[float],
    *,
    alternative: Alternative = "greater",
    permutations: int = 10_000,
    groups: Groups | None = None,
    seed: int = 0,
) -> float:
    """Return the p-value, in (0, 1], of the mean of `differences` if each one's sign were a fair coin.

    `differences`: (n,), one per image, such as IoU minus chance. `alternative`: what would be a discovery: a mean
    "greater" than 0, "less" than 0, or either ("two-sided"). The null hypothesis is a distribution symmetric about 0.
    `groups`: one label per image where images come in clusters: their signs are flipped together, n counts groups.
    Up to n = 12 all 2^n sign patterns are counted, so the result is exact and no p-value is below 2^-n; with more,
    `permutations` patterns are drawn and p = (b + 1) / (m + 1), b of m being at least as extreme; where fewer than 10
    are, 4 times as many more are drawn.
    Returns NaN for n = 0, or if a difference is not finite.
    Raises UnknownNameError for another alternative, UsageError for fewer than 1 permutation, and unless `groups` has
    one label per image.
    Source: Fisher 1935, The Design of Experiments, section 21; Phipson and Smyth 2010 for the estimate. This is
    `scipy.stats.permutation_test(permutation_type="samples")` on the mean, at a fraction of its time for many images.
    """
    if alternative not in ALTERNATIVES:
        raise UnknownNameError("alternative", alternative, ALTERNATIVES)
    if permutations < 1:
        raise UsageError(f"a permutation test needs at least 1 permutation; got {permutations}")
    values = grouped(np.asarray(differences, np.float64), groups).sums
    if values.size == 0 or not np.isfinite(values).all():
        return math.nan
    if alternative == "less":
        values = -values
    two_sided = alternative == "two-sided"
    if values.size <= EXACT_UP_TO:
        patterns = np.arange(2**values.size)[:, np.newaxis] >> np.arange(values.size) & 1
        sums = _sums(values, packed(patterns.astype(np.bool_)), two_sided)
        return float(np.mean(sums >= _least(values, two_sided)))
    least, draws = _least(values, two_sided), Draws(Signs(values.size), seed)

    def as_extreme(count: int) -> int:
        return draws.count(count, lambda patterns: _sums(values, patterns, two_sided) >= least)

    fewest = (2 if two_sided else 1) / 2.0**values.size
    return max(fewest, share_of_draws(as_extreme, permutations))


@dataclass(frozen=True)
class Signs:
    """A fair coin for each of so many `things`."""

    things: int

    def drawn(self, generator: np.random.Generator, count: int) -> Block:
        """(⌈n / 8⌉, count): patterns at random, eight images a byte."""
        return packed(generator.integers(0, 2, (count, self.things), np.int8))


def _sums(values: DoubleArray, flipped: Block, two_sided: bool) -> DoubleArray:
    """(m,): the sum under each packed pattern (1: sign flipped); of both ends its size."""
    sums = values.sum() - 2 * packed_sums(values, flipped)
    return np.asarray(np.abs(sums) if two_sided else sums)


def _least(values: DoubleArray, two_sided: bool) -> float:
    """What a sum must reach to be as extreme as the observed one."""
    observed = abs(values.sum()) if two_sided else values.sum()
    return float(observed - ROUNDING * np.abs(values).sum())
