"""Images that belong together are one observation: false alarms are as rare as promised where they share something."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import mean_interval, pairing_test, rank_correlation, separation, sign_flip_test
from lumiscope.statistics.exchange import Exchange
from lumiscope.statistics.groups import group_numbers, grouped

CLASSES, EACH = 10, 4
LABELS = np.repeat(np.arange(CLASSES), EACH).tolist()
TRIALS, MOST = 300, 24  # 15 are expected; more than 24 have a probability below 0.01


def slow_orders(labels: list[str]) -> set[tuple[int, ...]]:
    """All orders of images that keep together what belongs together, found among all n!."""
    images, orders = range(len(labels)), set()
    for order in itertools.permutations(images):
        comes_from = {(labels[place], labels[image]) for place, image in enumerate(order)}
        sizes = Counter(labels)
        if len(comes_from) == len(sizes) and all(sizes[a] == sizes[b] for a, b in comes_from):
            orders.add(order)
    return orders


def clustered(rng: np.random.Generator) -> np.ndarray:
    """(40,): of ten classes of four images, which share most of their value."""
    return np.repeat(rng.normal(size=CLASSES), EACH) + 0.3 * rng.normal(size=CLASSES * EACH)


def test_groups_are_numbered_as_they_appear_and_added_up() -> None:
    assert group_numbers(["b", "a", "b", 3], 4).tolist() == [0, 1, 0, 2]
    by_group = grouped(np.array([[1.0, 2], [3, 4], [5, 6]]), ["x", "y", "x"])
    assert by_group.sums.tolist() == [[6, 8], [3, 4]]
    assert by_group.sizes.tolist() == [2, 1]
    assert len(by_group) == 2
    assert grouped(np.array([1.0, 2]), None).sums.tolist() == [1, 2]


def test_the_linearised_mean_is_that_of_images_and_its_spread_that_of_a_ratio() -> None:
    """Cochran 1977, eq. 6.13: the variance of a ratio R of totals is Σ (y - R x)² / (n - 1) / (n x̄²)."""
    values, labels = np.random.default_rng(0).random(9), list("aaaabbccd")
    by_group = grouped(values, labels)
    numbers = by_group.linearised()
    assert numbers.mean() == pytest.approx(values.mean())
    residuals = [sum(values[i] - values.mean() for i in range(9) if labels[i] == label) for label in "abcd"]
    variance = sum(residual**2 for residual in residuals) / 3 / (4 * (9 / 4) ** 2)
    assert numbers.var(ddof=1) / 4 == pytest.approx(variance)


@pytest.mark.parametrize("labels", ["abcd", "aabb", "aab", "abab", "aabbc", "abccba", "aaaa"])
def test_orders_keep_together_what_belongs_together(labels: str) -> None:
    exchange, expected = Exchange.of(len(labels), list(labels)), slow_orders(list(labels))
    assert math.exp(exchange.log_count) == pytest.approx(len(expected))
    drawn = Counter(map(tuple, exchange.drawn(np.random.default_rng(0), 200 * len(expected)).T.tolist()))
    assert set(drawn) == expected
    assert stats.chisquare(list(drawn.values())).pvalue > 0.001, "each as often"


def test_orders_keep_to_strata() -> None:
    """Images 0 to 2 and 3 to 5 are of one size each. a, b: an image of either; c: two of the second, like no other."""
    exchange = Exchange.of(6, list("abdacc"), np.array([0, 0, 0, 1, 1, 1]))
    drawn = {tuple(order) for order in exchange.drawn(np.random.default_rng(0), 100).T.tolist()}
    assert drawn == {(0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 5, 4), (0, 2, 1, 3, 4, 5), (0, 2, 1, 3, 5, 4)}
    assert math.exp(exchange.log_count) == pytest.approx(4)
    crossed = Exchange.of(4, list("abba"), np.array([0, 0, 1, 1]))
    turned = Exchange.of(4, list("abba"), np.array([0, 1, 0, 1]))
    for exchange, other in ((crossed, (1, 0, 3, 2)), (turned, (2, 3, 0, 1))):
        drawn = {tuple(order) for order in exchange.drawn(np.random.default_rng(0), 100).T.tolist()}
        assert drawn == {(0, 1, 2, 3), other}, "whichever of its strata a group comes in first"


def test_groups_of_one_image_are_no_groups() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 15))
    singles, matrix = list(range(15)), rng.random((15, 15))
    assert mean_interval(a, groups=singles) == mean_interval(a)
    assert sign_flip_test(a, groups=singles) == sign_flip_test(a)
    assert rank_correlation(a, b, groups=singles) == rank_correlation(a, b)
    assert pairing_test([matrix], groups=[singles]) == pairing_test([matrix])
    with_groups, without = separation(a, b > 0, groups=singles), separation(a, b > 0)
    assert (with_groups.auroc, with_groups.low, with_groups.high) == (without.auroc, without.low, without.high)
    assert with_groups.p_value == pytest.approx(without.p_value, abs=0.025), "5 standard errors of 10,000 draws"


def test_copies_of_an_image_are_no_evidence() -> None:
    """Each image four times, as groups: what the images say by themselves."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 12))
    copies, labels = (lambda values: np.repeat(values, 4)), np.repeat(np.arange(12), 4).tolist()
    assert mean_interval(copies(a), groups=labels) == pytest.approx(mean_interval(a))
    assert sign_flip_test(copies(a), groups=labels) == sign_flip_test(a)
    alone, together = rank_correlation(a, b), rank_correlation(copies(a), copies(b), groups=labels)
    assert (together.value, together.low, together.high) == pytest.approx((alone.value, alone.low, alone.high))
    assert together.p_value == pytest.approx(alone.p_value, abs=0.025)
    alone, together = separation(a, b > 0), separation(copies(a), copies(b > 0), groups=labels)
    assert (together.auroc, together.low, together.high) == pytest.approx((alone.auroc, alone.low, alone.high))
    assert together.p_value == pytest.approx(alone.p_value, abs=0.025)


def test_two_groups_have_two_orders() -> None:
    """Of two classes in their order a p-value can be 1/2 at best, however many images they have; drawn to 0.025."""
    values, labels = np.repeat([0.0, 1], 6), np.repeat([0, 1], 6).tolist()
    assert rank_correlation(values, values, groups=labels).p_value == 1, "turned round it is as strong"
    assert separation(values, values > 0, groups=labels).p_value == 1
    blocks = np.kron(np.eye(2), np.ones((6, 6)))
    assert pairing_test([blocks], groups=[labels])[1] == pytest.approx(0.5, abs=0.025)
    assert pairing_test([blocks])[1] < 0.01


def test_a_pairing_of_groups_has_no_p_value_below_one_over_their_number() -> None:
    """Three classes of two images: 3! · 2³ = 48 pairings, of which one is the diagonal."""
    assert pairing_test([np.eye(6)], groups=[list("aabbcc")])[1] == pytest.approx(1 / 48, abs=0.007)
    rarest = pairing_test([np.eye(8)], groups=[list("aabbccdd")], permutations=100)[1]
    assert rarest >= 1 / (24 * 16)


def test_a_class_may_lie_in_several_sets() -> None:
    """Two classes of an image in either set change places in both at once: one of two pairings is the diagonal."""
    p_value = pairing_test([np.eye(2), np.eye(2)], groups=[["a", "b"], ["b", "a"]])[1]
    assert p_value == pytest.approx(0.5, abs=0.025)
    assert pairing_test([np.eye(2), np.empty((0, 0))], groups=[["a", "b"], []])[1] == pytest.approx(0.5, abs=0.025)


def of_correlation(rng: np.random.Generator, groups: list[int] | None) -> float:
    return rank_correlation(clustered(rng), clustered(rng), groups=groups, permutations=299).p_value


def of_separation(rng: np.random.Generator, groups: list[int] | None) -> float:
    return separation(clustered(rng), clustered(rng) > 0, groups=groups, permutations=299).p_value


def of_pairing(rng: np.random.Generator, groups: list[int] | None) -> float:
    first, second = (np.stack([clustered(rng) for _ in range(6)]) for _ in range(2))  # maps of six cells
    return pairing_test([first.T @ second], groups=None if groups is None else [groups], permutations=299)[1]


def of_sign_flips(rng: np.random.Generator, groups: list[int] | None) -> float:
    return sign_flip_test(clustered(rng), alternative="two-sided", groups=groups, permutations=299)


@pytest.mark.parametrize("p_value", [of_correlation, of_separation, of_pairing, of_sign_flips])
def test_false_alarms_are_as_rare_as_promised(p_value: Callable[..., float]) -> None:
    """And would not be if the 40 images counted one by one."""
    rng = np.random.default_rng(3)
    assert sum(p_value(rng, LABELS) <= 0.05 for _ in range(TRIALS)) <= MOST
    assert sum(p_value(rng, None) <= 0.05 for _ in range(TRIALS)) > 1.5 * MOST


def test_what_is_there_is_found() -> None:
    """With power: between classes and within them."""
    rng, found = np.random.default_rng(4), Counter()
    for _ in range(20):
        a = clustered(rng)
        b = a + 0.3 * rng.normal(size=40)
        found["correlation"] += rank_correlation(a, b, groups=LABELS, permutations=299).p_value <= 0.05
        found["separation"] += separation(a, b > 0, groups=LABELS, permutations=299).p_value <= 0.05
        maps = rng.normal(size=(40, 6))
        likeness = maps @ (maps + rng.normal(size=(40, 6))).T
        found["pairing"] += pairing_test([likeness], groups=[LABELS], permutations=299)[1] <= 0.05
    assert min(found.values()) >= 19


def test_intervals_hold_the_truth_where_images_share_something() -> None:
    """Of 300 intervals 285 are expected, fewer than 273 have a probability below 0.005; nothing is related."""
    rng, held = np.random.default_rng(5), Counter()
    for _ in range(TRIALS):
        a, b = clustered(rng), clustered(rng)
        correlation = rank_correlation(a, b, groups=LABELS, permutations=1)
        apart = separation(a, b > 0, groups=LABELS, permutations=1)
        low, high = mean_interval(a, groups=LABELS)
        held["correlation"] += correlation.low <= 0 <= correlation.high
        held["separation"] += apart.low <= 0.5 <= apart.high
        held["mean"] += low <= 0 <= high
    assert min(held.values()) >= 273


@pytest.mark.parametrize(
    "test",
    [
        lambda groups: mean_interval([1, 2, 4], groups=groups),
        lambda groups: sign_flip_test([1, 2, 4], groups=groups),
        lambda groups: rank_correlation([1, 2, 4], [1, 3, 2], groups=groups),
        lambda groups: separation([1, 2, 4], [True, False, False], groups=groups),
        lambda groups: pairing_test([np.eye(3)], groups=[groups]),
    ],
)
def test_each_image_has_a_label(test: Callable[[list[str]], object]) -> None:
    with pytest.raises(UsageError, match="one label per image"):
        test(["a", "b"])


def test_a_group_for_each_image_is_no_group() -> None:
    a, b = np.random.default_rng(5).normal(size=(2, 6))
    alone, inside = list("abcdef"), b > np.median(b)
    assert rank_correlation(a, b, groups=alone) == rank_correlation(a, b)
    assert separation(a, inside, groups=alone) == separation(a, inside)
