"""Further labels are accepted as a layer: a loop with plain regression, and Benjamini and Hochberg by statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from lumiscope.dissection.evidence._partial_correlation import partial_test
from lumiscope.dissection.evidence.further_labels import further_labels
from lumiscope.dissection.evidence.held_out import halves

UNITS, CONCEPTS = 120, 30


def noise_layer(images, seed=0):
    """Units that respond to their first concept and to nothing else."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(images, CONCEPTS))
    first = np.arange(UNITS) % CONCEPTS
    return scores[:, first] + rng.normal(size=(images, UNITS)), scores, first


def add_second_concept(activations, scores, first, strengths):
    """Let the first units respond to the concept after their own as well, as strongly as each of `strengths` says."""
    for unit, strength in enumerate(strengths):
        activations[:, unit] += strength * scores[:, (first[unit] + 1) % CONCEPTS]


def residual(values, given):
    design = np.column_stack([np.ones(len(values)), given])
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


def proposed_by_regression(activation, scores, label):
    """The concept with the highest partial correlation given the label, of those that are not explained by it."""
    partial = np.full(CONCEPTS, -np.inf)
    for concept in range(CONCEPTS):
        explained = np.corrcoef(scores[:, concept], scores[:, label])[0, 1] ** 2
        if explained <= 0.81 and np.corrcoef(activation, scores[:, concept])[0, 1] > 0:
            rests = (residual(values, scores[:, label]) for values in (activation, scores[:, concept]))
            partial[concept] = np.corrcoef(*rests)[0, 1]
    return int(partial.argmax())


def proposals_and_tests(activations, scores, first, seed):
    """For each unit the proposed concept, and on the other half its p-value and whether it is strong enough."""
    proposing, testing = halves(len(activations), seed)
    rows = []
    for unit, label in enumerate(first):
        concept = proposed_by_regression(activations[proposing, unit], scores[proposing], label)
        plain, partial, p_value = partial_test(
            activations[testing, unit], scores[testing, concept], scores[testing][:, [label]]
        )
        rows.append((concept, p_value, plain > 0 and partial >= 0.1))
    return (np.array(column) for column in zip(*rows, strict=True))


@pytest.mark.parametrize("strengths", [np.zeros(0), np.linspace(0, 0.6, 40)], ids=["noise", "some"])
def test_what_is_accepted_is_what_survives_the_correction(strengths):
    activations, scores, first = noise_layer(300)
    add_second_concept(activations, scores, first, strengths)
    concept, p_values, strong = proposals_and_tests(activations, scores, first, seed=3)
    significant = multipletests(p_values, alpha=0.05, method="fdr_bh")[0]
    expected = np.where(significant & strong, concept, -1)
    np.testing.assert_array_equal(further_labels(activations, scores, first, max_labels=2, seed=3)[:, 0], expected)
    accepted_without = np.sum((p_values <= 0.05) & strong)
    assert accepted_without >= np.sum(expected >= 0) + 3, "the case is one where the correction decides"
    assert not (significant & ~strong).any(), "and the strength alone would let others through"
    assert np.sum(strong) > accepted_without


def test_a_layer_of_noise_gets_hardly_any_further_label():
    """Where nothing is to be found, 1 layer of 20 may have one; uncorrected, 1 unit of 30 would: 4 in each layer."""
    layers = [further_labels(*noise_layer(300, seed), max_labels=2, seed=seed) for seed in range(20)]
    with_any = sum(bool((layer >= 0).any()) for layer in layers)
    assert with_any <= stats.binom(20, 0.05).isf(0.01)


def test_a_significant_but_weak_correlation_is_not_enough():
    """With 6,000 images a partial correlation of 0.08 is certain, and explains less than 1 % of what is left."""
    activations, scores, first = noise_layer(6000)
    add_second_concept(activations, scores, first, [0.08, 0.2])
    labels = further_labels(activations, scores, first, max_labels=2, seed=0)[:, 0]
    _, p_values, strong = proposals_and_tests(activations[:, :2], scores, first[:2], seed=0)
    assert (p_values < 1e-4).all()
    assert strong.tolist() == [False, True]
    assert labels[:2].tolist() == [-1, 2]


@pytest.mark.parametrize(("correlation", "further"), [(0.89, 1), (0.91, -1)])
def test_a_word_that_the_label_explains_to_four_fifths_is_a_synonym(correlation, further):
    """The unit responds to the second concept; 0.89² = 0.79 and 0.91² = 0.83 of it are the first one, its label."""
    rng = np.random.default_rng(0)
    label, rest = rng.normal(size=(2, 4000))
    second = correlation * label + np.sqrt(1 - correlation**2) * rest
    scores = np.column_stack([label, second, rng.normal(size=4000)])
    activations = (second + 0.2 * rng.normal(size=4000))[:, np.newaxis]
    assert further_labels(activations, scores, np.array([0]), max_labels=2, seed=0).tolist() == [[further]]
