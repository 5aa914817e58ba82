"""Coalitions of players for KernelSHAP: which to try, and the Shapley values that their worth tells.

Sources: Lundberg and Lee 2017, "A Unified Approach to Interpreting Model Predictions", theorem 2 (the regression whose
solution is the Shapley values); Covert and Lee 2021, "Improving KernelSHAP" (each coalition with its complement); Musco
and Witter 2025, "Provably Accurate Shapley Value Estimation via Leverage Score Sampling" (sampling by leverage, without
replacement).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lumiscope.types import BoolArray, DoubleArray, IntArray

Sampling = Literal["leverage", "kernel"]


@dataclass(frozen=True)
class Coalitions:
    """Coalitions to try; the empty one and that of all players are never among them.

    `members`: (n, d) bool. `weights`: (n,) float64 of the regression. `exact`: whether these are all there are.
    """

    members: BoolArray
    weights: DoubleArray
    exact: bool


def choose_coalitions(
    players: int, budget: int, generator: np.random.Generator, sampling: Sampling = "leverage", *, paired: bool = True
) -> Coalitions:
    """All coalitions of `players` where `budget` suffices for them, else a sample of at most `budget`."""
    if players < 2 or (players < 63 and 2**players - 2 <= budget):
        return all_coalitions(players)
    draw = draw_by_leverage if sampling == "leverage" else draw_by_kernel
    return draw(players, budget, generator, paired=paired)


def all_coalitions(players: int) -> Coalitions:
    """The 2^d − 2 coalitions of d players, with the kernel weights (d − 1) / (C(d, s) s (d − s)) of their size s."""
    numbers = np.arange(1, max(2**players - 1, 1))
    members = (numbers[:, None] >> np.arange(players)) & 1 > 0
    kernel = [(players - 1) / (math.comb(players, s) * s * (players - s)) for s in range(1, players)]
    weights = np.array([0.0, *kernel])[members.sum(1)]
    return Coalitions(members, weights, exact=True)


def draw_by_kernel(players: int, budget: int, generator: np.random.Generator, *, paired: bool) -> Coalitions:
    """Coalitions drawn independently, by their kernel weights: the original KernelSHAP.

    Sizes s have probabilities proportional to 1 / (s (d − s)); the regression has equal weights.
    """
    sizes = np.arange(1, players)
    chances = 1 / (sizes * (players - sizes))
    drawn = generator.choice(sizes, budget // 2 if paired else budget, p=chances / chances.sum())
    ranks = generator.random((len(drawn), players)).argsort(1).argsort(1)
    members = ranks < drawn[:, None]
    if paired:
        members = np.concatenate([members, ~members])
    return Coalitions(members, np.ones(len(members)), exact=False)


def draw_by_leverage(players: int, budget: int, generator: np.random.Generator, *, paired: bool) -> Coalitions:
    """Different coalitions, equally many of every size as far as there are so many; small sizes are soon complete.

    A coalition's leverage in the regression is 1 / C(d, s), so each size has the same total. Weights are the kernel's
    over the probability of being drawn. Musco and Witter flip a coin for each coalition; here the number of each size
    is its expectation, rounded up or down at random so that the total is `budget`.
    """
    count = budget // 2 if paired else budget
    sizes = np.arange(1, players // 2 + 1 if paired else players)
    halves = paired & (2 * sizes == players)  # there a coalition and its complement have the same size
    there_are = [math.comb(players, s) // (2 if half else 1) for s, half in zip(sizes.tolist(), halves, strict=True)]
    kinds = np.array([min(number, count + 1) for number in there_are])  # no float holds C(d, d / 2) of many players
    shares = np.where(halves, 0.5, 1.0)
    expected = expected_counts(kinds, shares, count)
    bounds = np.floor(np.cumsum(expected)[:-1] + generator.random())
    counts = np.diff(np.r_[0, bounds, count]).astype(np.int64)
    members = np.concatenate(
        [
            different_sets(players, int(s), int(n), bool(half), generator)
            for s, n, half in zip(sizes, counts, halves, strict=True)
        ]
    )
    weights = np.repeat(shares / (sizes * (players - sizes) * expected), counts)
    if paired:
        return Coalitions(np.concatenate([members, ~members]), np.r_[weights, weights], exact=False)
    return Coalitions(members, weights, exact=False)


def expected_counts(kinds: IntArray, shares: DoubleArray, count: int) -> DoubleArray:
    """How many to take of each group, in proportion to `shares` but no more than the `kinds` that it has.

    The sum is `count`, which must be less than there are in all.
    """
    full = np.zeros(len(kinds), np.bool_)
    while True:
        level = (count - kinds[full].sum()) / shares[~full].sum()
        more = ~full & (level * shares >= kinds)
        if not more.any():
            return np.where(full, kinds, level * shares)
        full |= more


def different_sets(players: int, size: int, count: int, half: bool, generator: np.random.Generator) -> BoolArray:
    """(count, d) bool: sets of `size` players, no two the same. `half`: nor one the complement of another."""
    if half:  # of each pair the set with the first player
        others = different_sets(players - 1, size - 1, count, False, generator)
        return np.concatenate([np.ones((count, 1), np.bool_), others], axis=1)
    total = math.comb(players, size)
    if total <= 4 * count:
        every = list(itertools.combinations(range(players), size))
        chosen = [every[index] for index in generator.choice(total, count, replace=False)]
    else:
        sets: dict[tuple[int, ...], None] = {}
        while len(sets) < count:
            drawn = generator.choice(players, size, replace=False)
            sets[tuple(sorted(drawn.tolist()))] = None
        chosen = list(sets)
    members = np.zeros((count, players), np.bool_)
    np.put_along_axis(members, np.array(chosen, np.int64).reshape(count, size), True, axis=1)
    return members


def shapley_values(coalitions: Coalitions, worth: DoubleArray, nobody: float, everybody: float) -> DoubleArray:
    """(d,) estimates that add up to `everybody` − `nobody`; exact where the coalitions are all there are.

    `worth`: (n,) of the coalitions. Minimises sum_i w_i (worth_i − nobody − z_i · φ)^2 under the constraint, by least
    squares in the space in which it holds.
    """
    players = coalitions.members.shape[1]
    gain = everybody - nobody
    share = coalitions.members.mean(1)
    root = np.sqrt(coalitions.weights)
    centred = root[:, None] * (coalitions.members - share[:, None])
    rest = root * (worth - nobody - gain * share)
    beyond: DoubleArray = np.linalg.lstsq(centred, rest, rcond=None)[0]
    return np.asarray(beyond - beyond.mean() + gain / players)
