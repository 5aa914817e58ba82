"""Coalitions for KernelSHAP: known games give known Shapley values, and better designs smaller errors."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.attribution.regions.coalitions import choose_coalitions, expected_counts, shapley_values


def game(players, seed):
    """The worth of coalitions with gains of one, two and three players together; its Shapley values share each gain."""
    generator = np.random.default_rng(seed)
    groups = [generator.choice(players, size, replace=False) for size in (1, 2, 3) for _ in range(3 * players)]
    gains = generator.normal(size=len(groups))
    values = np.zeros(players)
    for group, gain in zip(groups, gains, strict=True):
        values[group] += gain / len(group)

    def worth(members):
        return sum(gain * members[:, group].all(1) for group, gain in zip(groups, gains, strict=True))

    return worth, values, gains.sum()


def error(players, budget, seed, sampling, paired):
    worth, values, total = game(players, seed)
    chosen = choose_coalitions(players, budget, np.random.default_rng(seed), sampling, paired=paired)
    assert budget - 1 <= len(chosen.members) <= budget
    return float(((shapley_values(chosen, worth(chosen.members), 0, total) - values) ** 2).sum() / (values**2).sum())


@pytest.mark.parametrize(("players", "budget"), [(12, 200), (30, 200)])
def test_pairs_and_leverage_are_worth_their_name(players, budget):
    """On twenty known games the mean squared error falls with each of them, and to less than a third with both."""
    errors = {
        (sampling, paired): np.mean([error(players, budget, seed, sampling, paired) for seed in range(20)])
        for sampling in ("leverage", "kernel")
        for paired in (True, False)
    }
    assert errors["leverage", True] < errors["kernel", True] < errors["kernel", False]
    assert errors["leverage", True] < errors["leverage", False] < errors["kernel", False]
    assert errors["leverage", True] < errors["kernel", False] / 3


@pytest.mark.parametrize("players", [2, 3, 8])
def test_all_coalitions_give_the_exact_values_of_a_game(players):
    worth, values, total = game(max(players, 3), 0)
    if players < 3:
        chosen = choose_coalitions(2, 10, np.random.default_rng(0))
        np.testing.assert_allclose(shapley_values(chosen, chosen.members @ [1.0, 2.0], 0, 5), [2.0, 3.0])
        return
    chosen = choose_coalitions(players, 2**players - 2, np.random.default_rng(0))
    assert chosen.exact
    np.testing.assert_allclose(shapley_values(chosen, worth(chosen.members), 0, total), values, atol=1e-12)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("players", [5, 6, 11, 12])
def test_leverage_never_tries_a_coalition_twice(players, paired):
    for budget in (8, 20, min(2**players - 4, 400)):
        chosen = choose_coalitions(players, budget, np.random.default_rng(budget), paired=paired)
        assert len(np.unique(chosen.members, axis=0)) == len(chosen.members) == budget
        assert chosen.members.any(1).all()
        assert not chosen.members.all(1).any()
        if paired:
            half = budget // 2
            np.testing.assert_array_equal(chosen.members[half:], ~chosen.members[:half])


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("sampling", ["leverage", "kernel"])
def test_weights_undo_the_sampling(sampling, paired):
    """In the mean over draws, each size has the share of the total weight that it has with all coalitions."""
    players, budget = 8, 40
    shares = np.zeros(players)
    for seed in range(400):
        chosen = choose_coalitions(players, budget, np.random.default_rng(seed), sampling, paired=paired)
        shares += np.bincount(chosen.members.sum(1), chosen.weights, players)
    sizes = np.arange(1, players)
    expected = 1 / (sizes * (players - sizes))
    np.testing.assert_allclose((shares / shares.sum())[1:], expected / expected.sum(), rtol=0.1)


def test_expected_counts_fill_small_groups_first():
    counts = expected_counts(np.array([2, 10, 30, 100]), np.array([1.0, 1.0, 1.0, 0.5]), 47)
    np.testing.assert_allclose(counts, [2, 10, 70 / 3, 35 / 3])


def test_additive_games_are_found_from_few_coalitions():
    gains = np.random.default_rng(1).normal(size=40)
    chosen = choose_coalitions(40, 80, np.random.default_rng(2))
    np.testing.assert_allclose(shapley_values(chosen, chosen.members @ gains + 3, 3, gains.sum() + 3), gains)
