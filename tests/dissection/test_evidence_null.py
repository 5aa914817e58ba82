"""The null distribution of a label: against loops, against how often chance really exceeds it, and for whom."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import binom

from lumiscope.dissection import SIMILARITIES
from lumiscope.dissection._unit_facts import describe_units
from lumiscope.dissection.evidence import comparison as comparison_module
from lumiscope.dissection.evidence import null_distribution
from lumiscope.dissection.evidence._layer_contrast import LayerContrast
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence._shape_groups import shape_groups
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.dissection.evidence.null_distribution import (
    _standardised,
    carried_shares,
    label_p_values,
    permuted_correlations,
)
from lumiscope.dissection.evidence.ranking import best_concepts
from lumiscope.statistics import null_p_values

KINDS = {
    "normal": lambda rng, count: rng.normal(size=count),
    "sparse": lambda rng, count: np.where(rng.random(count) < 0.05, np.abs(rng.normal(size=count)), 0),
    "heavy": lambda rng, count: rng.standard_t(2, count),
    "skewed": lambda rng, count: np.exp(1.5 * rng.normal(size=count)),
    "binary": lambda rng, count: (rng.random(count) < 0.3) * 1.0,
}


def null_units(images, each, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([make(rng, images) for make in KINDS.values() for _ in range(each)], axis=1)


def concept_scores(kind, images, concepts, seed=1):
    rng = np.random.default_rng(seed)
    if kind == "masks":
        return (rng.random((images, concepts)) < np.geomspace(0.01, 0.5, concepts)).astype(np.float64)
    return 0.2 + 0.03 * rng.normal(size=(images, concepts))


def p_values_of(name, activations, scores, draws, with_best=False):
    comparison = Comparison.make(SIMILARITIES[name], activations, scores)
    best = np.concatenate([best_concepts(ranked, 1)[:, 0] for _, ranked in comparison.statistics()])
    shape = describe_units(activations, 1).shape
    p_values = label_p_values(comparison, best, shape, draws=draws, seed=0)
    return (p_values, best) if with_best else p_values


@pytest.mark.parametrize("kind", ["masks", "soft"])
@pytest.mark.parametrize("name", ["cos", "cos_cubed", "pearson", "soft_wpmi", "auroc", "iou"])
def test_units_that_know_of_no_concept_have_uniform_p_values(name, kind):
    """Sparse, heavy-tailed, skewed and binary noise, all in one layer; overall, and no kind by itself far off."""
    each = 60
    p_values = p_values_of(name, null_units(250, each), concept_scores(kind, 250, 40), draws=400)
    for level in (0.01, 0.05, 0.2):
        assert np.sum(p_values <= level) <= binom(len(p_values), level).isf(0.002)
        for row in p_values.reshape(-1, each):
            assert np.sum(row <= level) <= binom(each, level).isf(1e-4)
    assert np.mean(p_values <= 0.5) >= 0.3, "conservative at most where scores tie"


def test_a_unit_that_several_others_resemble_is_no_chance():
    """By the layer's own average a concept of ten units out of forty would look like everybody's."""
    rng = np.random.default_rng(0)
    scores = concept_scores("masks", 400, 30)
    activations = np.column_stack([scores[:, [-8] * 10] + rng.normal(0, 0.3, (400, 10)), rng.normal(size=(400, 30))])
    p_values, best = p_values_of("soft_wpmi", activations, scores, draws=300, with_best=True)
    right = best[:10] == 22
    assert right.sum() >= 3
    assert (p_values[:10][right] < 0.001).all()
    assert (p_values[:10][~right] > 0.005).all(), (
        "named after a concept that they fit by chance, and no other unit does"
    )
    assert np.mean(p_values[10:] <= 0.05) <= 0.2


@pytest.mark.parametrize("name", ["cos_cubed", "soft_wpmi", "auroc"])
def test_permuted_units_choose_their_best_concept_anew(name):
    """Each draw by itself: one column of the layer permuted in its place, and the whole similarity computed again."""
    activations, scores = null_units(60, 2), concept_scores("soft", 60, 9)
    method = SIMILARITIES[name]
    units = np.array([4, 0, 4, 9])
    expected = []
    for place, unit in enumerate(units):
        layer = activations.copy()
        layer[:, unit] = layer[generator(3, "permutations", 7, place).permutation(60), unit]
        best = method(layer, scores)[unit].argmax()
        expected.append(np.corrcoef(layer[:, unit], scores[:, best])[0, 1])
    comparison = Comparison.make(method, activations, scores)
    np.testing.assert_allclose(permuted_correlations(comparison, units, 3, 7), expected, rtol=1e-10)


@pytest.mark.parametrize(("draws", "groups"), [(30, 7), (60, 4), (200, 3)])
def test_each_unit_is_compared_with_its_group_by_loops(draws, groups, monkeypatch):
    """Four draws for each of 50 units make 7, 4 and 1 groups of 30, 60 and 200 draws; at least 3."""
    monkeypatch.setattr(null_distribution, "CARRIED", 1)  # which would be groups of their own
    activations, scores = null_units(80, 10), concept_scores("soft", 80, 6)
    comparison = Comparison.make(SIMILARITIES["pearson"], activations, scores)
    best = np.concatenate([best_concepts(ranked, 1)[:, 0] for _, ranked in comparison.statistics()])
    shape = describe_units(activations, 1).shape
    expected = np.empty(50)
    parts = shape_groups(shape, groups)
    assert len(parts) == groups
    for number, group in enumerate(parts):
        members = generator(5, "members", number).permutation(group)[np.arange(draws) % len(group)]
        drawn = permuted_correlations(comparison, members, 5, number)
        correlations = np.array([np.corrcoef(activations[:, unit], scores[:, best[unit]])[0, 1] for unit in group])
        expected[group] = null_p_values(*_standardised(drawn, shape[members], correlations, shape[group])[::-1])
    np.testing.assert_allclose(label_p_values(comparison, best, shape, draws=draws, seed=5), expected, rtol=1e-6)


@pytest.mark.parametrize("facts", [1, 2])
def test_what_the_shapes_explain_is_taken_off_where_draws_are_enough(facts):
    """Draws 1 above or below 3 + 2 (x1 + x2): residuals of 1, and 0.1 more that no logarithm is of 0."""
    count = 20 * facts
    drawn_facts = np.zeros((count, 8))
    drawn_facts[:, :facts] = np.stack([np.arange(count) // 4 % 5, np.arange(count) // 20][:facts], axis=1)
    above = np.tile([1.0, -1.0, -1.0, 1.0], count // 4)
    drawn = 3 + 2 * drawn_facts.sum(axis=1) + above
    points = np.zeros((1, 8))
    points[0, 0] = 10
    standard, observed = _standardised(drawn, drawn_facts, np.array([25.0]), points)
    np.testing.assert_allclose(standard, above / 1.1, rtol=1e-9)
    np.testing.assert_allclose(observed, (25 - 23) / 1.1, rtol=1e-9)
    drawn[-1] = -np.inf  # a draw that no concept stood out of
    for values in zip(_standardised(drawn, drawn_facts, np.array([25.0]), points), (drawn, [25.0]), strict=True):
        np.testing.assert_array_equal(*values)


def test_with_pearson_it_is_the_maximum_over_all_concepts():
    activations, scores = null_units(80, 2), concept_scores("masks", 80, 12)
    comparison = Comparison.make(SIMILARITIES["pearson"], activations, scores)
    units = np.arange(10)
    permuted = np.column_stack(
        [activations[generator(1, "permutations", unit).permutation(80), unit] for unit in units]
    )
    maxima = SIMILARITIES["pearson"](permuted, scores).max(axis=1)
    np.testing.assert_allclose(permuted_correlations(comparison, units, 1), maxima, rtol=1e-10)


def test_a_constant_concept_correlates_with_nothing():
    scores = np.column_stack([np.ones(40), np.arange(40.0)])
    comparison = Comparison.make(SIMILARITIES["cos"], np.arange(40.0)[:, np.newaxis] + 5, scores)
    column = np.arange(40.0)[:, np.newaxis]
    assert comparison.correlations(np.repeat(column, 3, axis=1), np.array([0, 1, -1])).tolist() == pytest.approx(
        [0, 1, 0]
    )


def test_neither_blocks_nor_threads_change_a_p_value(monkeypatch):
    activations, scores = null_units(100, 4), concept_scores("soft", 100, 8)
    whole = p_values_of("cos_cubed", activations, scores, 150)
    monkeypatch.setattr(comparison_module, "PERMUTED_BYTES", 8 * 74 * 7)
    np.testing.assert_allclose(p_values_of("cos_cubed", activations, scores, 150), whole, rtol=1e-8)


@pytest.mark.parametrize(("images", "concepts"), [(60, 9), (9, 60)])
def test_permuted_units_come_as_many_at_a_time_as_memory_holds(images, concepts, monkeypatch):
    """Each takes three float64 columns of images and three rows of concepts."""
    monkeypatch.setattr(comparison_module, "PERMUTED_BYTES", 4 * 8 * 3 * (60 + 9))
    comparison = Comparison.make(
        SIMILARITIES["pearson"], null_units(images, 2), concept_scores("soft", images, concepts)
    )
    assert [where.stop - where.start for where, *_ in comparison.permuted(np.arange(10), 1)] == [4, 4, 2]


def test_a_layer_without_one_of_its_units_by_loops():
    rng = np.random.default_rng(0)
    unitwise = rng.normal(0, 300, (6, 20))
    contrast = LayerContrast(SIMILARITIES["soft_wpmi"], unitwise)
    expected = [[logsumexp(np.delete(unitwise[:, k], u)) for k in range(20)] for u in range(6)]
    np.testing.assert_allclose(contrast.others(np.arange(6), unitwise), expected, rtol=1e-9)
    np.testing.assert_allclose(contrast.rows(np.arange(6), unitwise), unitwise - expected, rtol=1e-9)
    weaker = LayerContrast(SIMILARITIES["wpmi"], unitwise).rows(np.arange(6), unitwise)
    np.testing.assert_allclose(weaker, unitwise - 0.6 * (logsumexp(unitwise, axis=0) - np.log(6)), rtol=1e-9)


def test_groups_part_units_by_shape_and_each_unit_is_in_one():
    shape = describe_units(null_units(300, 10), 1).shape
    groups = shape_groups(shape, most=8)
    assert sorted(np.concatenate(groups).tolist()) == list(range(50))
    assert len(groups) == 8
    assert any(set(group) <= set(range(40, 50)) for group in groups), "binary units stand by themselves"
    assert len(shape_groups(np.zeros((10, 8)), most=8)) == 1


@pytest.mark.parametrize(("apart", "groups"), [(0.49, 1), (0.51, 2)])
def test_units_are_alike_within_a_quarter(apart, groups):
    """Half of the units differ from the others by `apart` in one fact: a standard deviation of half of that."""
    shape = np.zeros((10, 8))
    shape[::2, 3] = apart
    parts = shape_groups(shape, most=8)
    expected = [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]] if groups == 2 else [list(range(10))]
    assert [part.tolist() for part in parts] == expected


def test_a_unit_that_one_image_carries_has_at_best_one_place_in_so_many():
    """Active on one image of 300, the one that a concept stands out on: by chance it is 1 time in 300, no less."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(300, 20))
    scores[17, 4] = 40.0
    activations = np.column_stack([rng.normal(size=(300, 30)), np.arange(300) == 17])
    assert carried_shares(Comparison.make(SIMILARITIES["pearson"], activations, scores))[-1] == pytest.approx(299 / 300)
    p_values = p_values_of("pearson", activations, scores, draws=3000)
    assert p_values[-1] == pytest.approx(1 / 300, rel=0.6), "10 of 3,000 draws, give or take 3.2"
    assert p_values[-1] >= 1 / 3001


@pytest.mark.parametrize(("share", "counted"), [(0.45, False), (0.55, True)])
def test_a_unit_is_counted_where_one_image_carries_more_than_half_of_it(share, counted):
    """It is its concept itself: none of 200 draws is as high, which is 1 of 201, or the end of a fitted tail."""
    scores = np.random.default_rng(0).normal(size=(200, 8))
    others = scores[1:, 4] - scores[1:, 4].mean()
    scores[1:, 4] = others / others.std()
    scores[0, 4] = np.sqrt(199 * share / (0.995**2 - 0.995 * share))  # of 199 others with mean 0 and variance 1
    unit = scores[:, [4]]
    assert carried_shares(Comparison.make(SIMILARITIES["pearson"], unit, scores)) == pytest.approx(share)
    (p_value,) = p_values_of("pearson", unit, scores, draws=200)
    assert p_value == 1 / 201 if counted else p_value < 0.9 / 201


def test_a_group_of_images_carries_a_unit_as_one_image_does():
    activations = np.zeros((40, 1))
    activations[[3, 5, 9]] = 1.0
    comparison = Comparison.make(SIMILARITIES["pearson"], activations, np.random.default_rng(0).random((40, 3)))
    by_image = carried_shares(comparison)
    groups = ImageGroups.by([-1 if image in (3, 5, 9) else image for image in range(40)])
    together = carried_shares(dataclasses.replace(comparison, groups=groups))
    assert by_image == pytest.approx((37 / 40) ** 2 / (3 * 37 / 40))
    assert together == pytest.approx(3 * by_image)
