"""Held-out scores and bootstrap stability, against loops that use nothing but the similarity itself."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.dissection import SIMILARITIES, EvidenceOptions, label_units
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.held_out import halves, held_out_scores, parts
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.dissection.evidence.ranking import best_concepts
from lumiscope.dissection.evidence.stability import _first, resampled_best


def case(images=80, units=5, concepts=6, noise=1.0):
    rng = np.random.default_rng(0)
    presence = (rng.random((images, concepts)) < 0.3).astype(np.float64)
    return presence[:, np.arange(units) % concepts] + rng.normal(0, noise, (images, units)), presence


def average_precision(activation, presence):
    """The mean, over images that show it, of the precision among the images at least as active."""
    precisions = [presence[activation >= value].mean() for value in activation[presence == 1]]
    return np.mean(precisions)


def test_halves_part_the_images():
    first, second = halves(11, seed=4)
    assert sorted([*first, *second]) == list(range(11))
    assert (len(first), len(second)) == (6, 5)
    assert not np.array_equal(first, halves(11, seed=5)[0])


def test_held_out_scores_by_hand():
    activations, presence = case()
    concept = np.array([3, 1, -1, 0, 5])
    correlation, precision, chance = held_out_scores(activations, presence, concept)
    for unit in (0, 1, 3, 4):
        activation, shown = activations[:, unit], presence[:, concept[unit]]
        assert correlation[unit] == pytest.approx(np.corrcoef(activation, shown)[0, 1])
        assert precision[unit] == pytest.approx(average_precision(activation, shown))
        assert chance[unit] == pytest.approx(shown.mean())
    assert np.isnan([correlation[2], precision[2], chance[2]]).all()


@pytest.mark.parametrize(("share", "block", "first"), [(0.07, 1, 7), (0.071, 1, 8), (0.07, 5, 10), (1.0, 1, 100)])
def test_a_part_has_its_share_of_the_images_or_as_many_more_as_stay_together(share, block, first):
    """In floating point 0.07 · 100 is above 7."""
    parted = ImageGroups.single(100).parted(np.random.default_rng(0), share, block)
    assert [len(part) for part in parted] == [first, 100 - first]


def test_one_image_tells_nothing():
    assert np.isnan(held_out_scores(np.ones((1, 2)), np.ones((1, 3)), np.array([0, 1]))).all()


def test_two_thirds_choose_and_with_few_images_all_do():
    first, second = parts(ImageGroups.single(12), seed=4)
    assert sorted([*first, *second]) == list(range(12))
    assert (len(first), len(second)) == (8, 4)
    assert not np.array_equal(first, parts(ImageGroups.single(12), seed=5)[0])
    assert [len(part) for part in parts(ImageGroups.single(5), seed=4)] == [5, 0]
    assert [len(part) for part in parts(ImageGroups.single(6), seed=4)] == [4, 2]


@pytest.mark.parametrize("name", ["cos_cubed", "soft_wpmi", "auroc"])
def test_the_first_concept_of_each_resample_by_loops(name):
    activations, presence = case()
    scores = presence + np.random.default_rng(1).normal(0, 0.1, presence.shape)
    comparison = Comparison.make(SIMILARITIES[name], activations, scores)
    best = np.concatenate([best_concepts(ranked, 6) for _, ranked in comparison.statistics()])
    winners = resampled_best(comparison, best, resamples=5, seed=2)
    others = comparison.contrast.others(np.arange(5), comparison.unitwise)
    for number in range(5):
        images = generator(2, "resamples", number).integers(0, 80, 80)
        totals = None if comparison.row_totals is None else comparison.row_totals[images]
        for unit in range(5):
            drawn = comparison.method.unitwise(activations[images][:, [unit]], scores[images], totals)
            expected = (drawn[0] - (others[unit] if comparison.method.contrast else 0)).argmax()
            assert winners[unit, number] == expected


@pytest.mark.parametrize("twin_first", [False, True])
def test_a_concept_that_ties_but_for_rounding_does_not_win_a_resample(twin_first):
    """Concepts 0 to 5 and the same on another scale: their correlations agree up to the last digits."""
    activations, presence = case()
    scores = np.column_stack([presence, 0.3 * presence + 0.7])
    comparison = Comparison.make(SIMILARITIES["pearson"], activations, scores)
    best = np.concatenate([best_concepts(ranked, 4) for _, ranked in comparison.statistics()])
    concepts = best[:, 0] % 6 + (6 if twin_first else 0)
    best = np.column_stack([concepts, (concepts + 6) % 12, best[:, 2:]])
    winners = resampled_best(comparison, best, resamples=20, seed=0)
    twins = (best[:, 0] + 6) % 12
    assert not (winners == twins[:, np.newaxis]).any()
    assert (winners == best[:, :1]).mean() > 0.5


def test_a_unit_without_a_concept_has_no_winner():
    comparison = Comparison.make(SIMILARITIES["cos"], *case())
    best = np.full((5, 2), -1)
    best[0, 0] = 3
    winners = resampled_best(comparison, best, resamples=3, seed=0)
    assert (winners[0] == 3).all()
    assert (winners[1:] == -1).all()


def test_null_units_that_pass_are_at_chance_on_the_images_that_estimate():
    """One in ten passes by chance at p <= 0.1: what the tenth with the highest correlations has elsewhere is 0."""
    correlations, excess = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        presence = (rng.random((150, 40)) < 0.2).astype(np.float64)
        options = EvidenceOptions(draws=300, resamples=5)
        layer = label_units(
            rng.normal(size=(150, 150)),
            presence,
            model="m",
            layer="l",
            similarity="pearson",
            options=options,
            seed=seed,
        )
        passes = layer.evidence.p_value <= 0.1
        correlations += [*layer.evidence.heldout_correlation[passes]]
        excess += [*(layer.evidence.heldout_precision - layer.evidence.heldout_chance)[passes]]
    assert len(correlations) > 100
    assert abs(np.mean(correlations)) < 3 * np.std(correlations) / np.sqrt(len(correlations))
    # A random order of n images, k of them with the concept, has a little more than k / n: about (1 - k / n) ln n / n.
    assert 0 < np.mean(excess) < np.log(50) / 50


def test_too_few_images_estimate_nothing():
    options = EvidenceOptions(draws=50, resamples=5)
    rng = np.random.default_rng(0)
    layer = label_units(rng.random((5, 2)), rng.random((5, 3)), model="m", layer="l", similarity="cos", options=options)
    assert np.isnan(layer.evidence.heldout_correlation).all()


@pytest.mark.parametrize("fdr", [0.05, 1])
def test_a_unit_that_is_the_same_on_all_images_that_choose_has_no_evidence(fdr):
    """It fires on one image of those that estimate; untested labels name it by all images, and know no further one."""
    activations, presence = case()
    _, estimating = parts(ImageGroups.single(80), seed=0)
    activations[:, 2] = np.arange(80) == estimating[0]
    options = EvidenceOptions(draws=100, resamples=4, fdr=fdr)
    layer = label_units(activations, presence, model="m", layer="l", similarity="pearson", options=options)
    assert np.isnan([layer.evidence.p_value[2], layer.evidence.q_value[2], layer.evidence.stability[2]]).all()
    assert (layer.reason[2] is None) == (fdr == 1)
    assert layer.concept[2] == (layer.best[2, 0] if fdr == 1 else -1)
    assert layer.further[2].tolist() == [-1] * (options.max_labels - 1)
    assert layer.label_set_size[2] == -1


def test_the_preferred_concept_is_first_where_it_ties_up_to_rounding():
    nan = np.nan
    scores = np.array([[3, 3 - 1e-12, 1], [3, 3 - 1e-9, 1], [nan, -2, -2 - 1e-12], [nan, nan, nan], [nan, nan, 0]])
    assert _first(scores, np.array([1, 1, 2, 0, 0])).tolist() == [1, 0, 2, -1, 2]
