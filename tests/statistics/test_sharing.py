"""Shared kinds by chance against all deals counted out."""

from __future__ import annotations

import itertools
import math

import pytest

from lumiscope.statistics.sharing import sharing_test


def by_hand(first: list[int], second: list[int]) -> tuple[float, float]:
    cards = [kind for kind, (a, b) in enumerate(zip(first, second, strict=True)) for _ in range(a + b)]
    shared = sum(a > 0 and b > 0 for a, b in zip(first, second, strict=True))
    counts = []
    for hand in itertools.combinations(range(len(cards)), sum(first)):
        mine = {cards[place] for place in hand}
        counts.append(len(mine & {cards[place] for place in range(len(cards)) if place not in hand}))
    return sum(counts) / len(counts), sum(count <= shared for count in counts) / len(counts)


@pytest.mark.parametrize(("first", "second"), [([3, 0, 2], [0, 4, 1]), ([2, 2], [2, 2]), ([5, 0], [0, 4])])
def test_deals_are_counted(first: list[int], second: list[int]) -> None:
    expected, p_value = by_hand(first, second)
    result = sharing_test(first, second)
    assert result[0] == pytest.approx(expected, abs=0.03)
    assert result[1] == pytest.approx(p_value, abs=0.02)
    assert result == sharing_test(first, second)


def test_the_seed_deals_the_cards_and_the_number_of_deals_bounds_the_p_value() -> None:
    deals = [sharing_test([4, 3, 2], [1, 3, 5], seed=seed) for seed in range(3)]
    assert len({by_chance for by_chance, _ in deals}) == 3
    assert sharing_test([4, 3, 2], [1, 3, 5]) == deals[0]
    # 30 kinds with two cards each: nobody is dealt all pairs whole in 99 deals.
    assert sharing_test([2] * 15 + [0] * 15, [0] * 15 + [2] * 15, draws=99)[1] == 1 / 100


def test_nothing_shares_nothing() -> None:
    assert all(math.isnan(number) for number in sharing_test([0, 0], [1, 2]))
