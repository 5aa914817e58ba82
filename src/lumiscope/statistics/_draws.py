"""P-values from draws at random: more of them where the first say only that it is rare."""

from __future__ import annotations

from collections.abc import Callable

ENOUGH = 10  # draws at least as extreme, from which on their share is exact enough
FURTHER = 4  # times as many draws where there are fewer


def share_of_draws(as_extreme: Callable[[int], int], draws: int) -> float:
    """(b + 1) / (m + 1), b of m draws being as extreme (Phipson and Smyth 2010); m is `draws`, or 5 times that.

    `as_extreme(count)`: draws so many, and counts those that are. No tail is fitted: where a few images decide, the
    draws come in lumps, and a smooth tail promises far too much.
    """
    extreme = as_extreme(draws)
    if extreme < ENOUGH:
        return (extreme + as_extreme(FURTHER * draws) + 1) / ((1 + FURTHER) * draws + 1)
    return (extreme + 1) / (draws + 1)
