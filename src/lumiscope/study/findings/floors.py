"""The smallest p-value that a permutation test of so many images can give."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lumiscope.runs import MARGIN
from lumiscope.statistics import least_equivalence_p_value, least_p_value


def sign_flips(images: int) -> float:
    """Of a one-sided sign-flip test: one of 2^n patterns of signs."""
    return 0.5**images


def two_sided_sign_flips(images: int) -> float:
    """Of a two-sided sign-flip test: two of 2^n patterns of signs."""
    return min(1.0, 2 * sign_flips(images))


def pairings(images: int) -> float:
    """Of a test that pairs images anew, and of a one-sided rank correlation: one of n! orders."""
    return 1 / math.factorial(min(images, 100))


def pairings_in(labels: Sequence[str]) -> Callable[[int], float]:
    """Of a test that pairs images of these groups anew; where not all of them count, as if each were by itself."""
    in_groups = of_groups(labels, pairings)
    return lambda images: (in_groups if images == len(labels) else pairings)(images)


def two_sided_ranks(images: int) -> float:
    """Of a two-sided rank correlation: the rising and the falling order of n!."""
    return min(1.0, 2 * pairings(images))


def two_groups(share: float) -> Callable[[int], float]:
    """Of a test that chooses a group anew, two-sided. `share`: of the images that are in the group."""

    def floor(images: int) -> float:
        chosen = min(max(1, round(share * images)), images - 1)
        return min(1.0, 2 / math.comb(images, chosen)) if images > 1 else 1.0

    return floor


def of_groups(labels: Sequence[str], alone: Callable[[int], float]) -> Callable[[int], float]:
    """Of a test that permutes images in these groups. `alone`: its floor where each image is by itself."""
    if len(set(labels)) == len(labels):
        return alone
    floor = least_p_value(labels)
    return lambda images: floor


def none(images: int) -> float:
    """Of a test of units, of which there are many."""
    return 0.0


def equivalence(images: int) -> float:
    """Of the test that two methods overlap the true masks equally far: with few images, others could differ."""
    return least_equivalence_p_value(images, MARGIN, (-1, 1))


def never(images: int) -> float:
    """Of a test that could not be made."""
    return 1.0
