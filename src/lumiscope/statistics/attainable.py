"""What n images cannot show: the smallest p-value that a permutation test of so many can give."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, get_args

from lumiscope.errors import UnknownNameError
from lumiscope.statistics import pairing, permutation
from lumiscope.statistics.permutation import Alternative

PermutationTest: TypeAlias = Literal["sign flip", "pairing"]
PERMUTATION_TESTS: tuple[PermutationTest, ...] = get_args(PermutationTest)


def smallest_p_value(
    images: int,
    tests: int = 1,
    *,
    test: PermutationTest = "sign flip",
    alternative: Alternative = "greater",
    permutations: int = 10_000,
) -> float:
    """Return the smallest p-value, in (0, 1], that `images` can give to the first of `tests` under Holm or Bonferroni.

    `images`: how many there are, or how many groups of them. `test`: that of `sign_flip_test`, of 2^n patterns (of
    which two are as extreme where the `alternative` is two-sided), or of `pairing_test`, of n! pairings. Where
    patterns are drawn instead of counted the smallest p-value is 1 / (permutations + 1).
    """
    if test not in PERMUTATION_TESTS:
        raise UnknownNameError("permutation test", test, PERMUTATION_TESTS)
    if images < 1:
        return 1.0
    if test == "pairing":
        is_exact, patterns = images <= pairing.EXACT_UP_TO, math.factorial(min(images, pairing.EXACT_UP_TO))
    else:
        is_exact, patterns = images <= permutation.EXACT_UP_TO, 2 ** min(images, permutation.EXACT_UP_TO)
        patterns //= 2 if alternative == "two-sided" else 1
    return min(1.0, max(1, tests) / (patterns if is_exact else permutations + 1))


def images_needed(
    tests: int = 1,
    *,
    test: PermutationTest = "sign flip",
    alternative: Alternative = "greater",
    permutations: int = 10_000,
    significance: float = 0.05,
) -> int | None:
    """Return the fewest images whose `smallest_p_value` is at most `significance`; None: no number is enough.

    None means that there are more tests than `permutations` can tell apart.
    """
    exact = pairing.EXACT_UP_TO if test == "pairing" else permutation.EXACT_UP_TO
    for images in range(1, exact + 2):
        if (
            smallest_p_value(images, tests, test=test, alternative=alternative, permutations=permutations)
            <= significance
        ):
            return images
    return None
