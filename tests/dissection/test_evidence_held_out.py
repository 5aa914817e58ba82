"""Held-out scores and bootstrap stability, against loops that use nothing but the similarity itself."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.dissection import SIMILARITIES
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.held_out import halves, held_out_scores
from lumiscope.dissection.evidence.ranking import best_concepts
from lumiscope.dissection.evidence.stability import resampled_best


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


@pytest.mark.parametrize("name", ["pearson", "soft_wpmi", "iou"])
def test_held_out_scores_by_hand(name):
    activations, presence = case()
    method = SIMILARITIES[name]
    correlation, precision, chance = held_out_scores(Comparison.make(method, activations, presence), seed=0)
    first, second = halves(80, 0)
    totals = method.row_totals(presence)
    unitwise = method.unitwise(activations[first], presence[first], None if totals is None else totals[first])
    chosen = method.contrasted(unitwise, method.layer_average(unitwise)).argmax(axis=1)
    for unit, concept in enumerate(chosen):
        activation, shown = activations[second, unit], presence[second, concept]
        assert correlation[unit] == pytest.approx(np.corrcoef(activation, shown)[0, 1])
        assert precision[unit] == pytest.approx(average_precision(activation, shown))
        assert chance[unit] == pytest.approx(shown.mean())


def test_noise_is_at_chance_on_held_out_images():
    rng = np.random.default_rng(0)
    presence = (rng.random((400, 50)) < 0.2).astype(np.float64)
    comparison = Comparison.make(SIMILARITIES["pearson"], rng.normal(size=(400, 100)), presence)
    correlation, precision, chance = held_out_scores(comparison, seed=0)
    assert abs(correlation.mean()) < 0.03
    assert precision.mean() == pytest.approx(chance.mean(), abs=0.03)


def test_too_few_images_have_no_held_out_half():
    comparison = Comparison.make(SIMILARITIES["cos"], np.random.default_rng(0).random((3, 2)), np.eye(3))
    assert np.isnan(held_out_scores(comparison, 0)).all()


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
