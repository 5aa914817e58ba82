"""The set of words that could be first: its standard errors, whom it keeps, and how large it is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from scipy.stats import t as student

from lumiscope.dissection import EvidenceOptions, label_units
from lumiscope.dissection.evidence.label_sets import _against_leader, _standard, label_sets


def sets(activations, scores, leader=0, seed=0):
    units = activations.shape[1]
    return label_sets(activations, scores, np.full(units, leader), blocks_of=np.ones(units, np.int64), seed=seed)


def test_the_standard_error_is_that_of_the_jackknife():
    """Leaving out one image at a time, the pseudo-values of a difference of correlations have the same deviation."""
    rng = np.random.default_rng(0)
    activation, scores = rng.normal(size=(400, 1)), rng.normal(size=(400, 3))
    activation += scores[:, :1]
    correlation, error = _against_leader(_standard(activation), _standard(scores[:, :1]), scores)
    expected = np.corrcoef(activation[:, 0], scores.T)[0, 1:]
    np.testing.assert_allclose(correlation[0], expected)

    def differences(images):
        all_of = np.corrcoef(activation[images, 0], scores[images].T)[0, 1:]
        return all_of[0] - all_of

    without = np.array([differences(np.delete(np.arange(400), image)) for image in range(400)])
    jackknife = np.sqrt(399 / 400 * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(error[0, 1:], jackknife[1:], rtol=0.02)
    assert error[0, 0] == pytest.approx(0, abs=1e-6)


def test_a_word_that_fits_as_well_is_in_the_set_95_times_in_a_hundred():
    kept, repetitions = 0, 40
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=(150, 40))
        activations = scores[:, :1] + scores[:, 2:3] + rng.normal(size=(150, 10))
        sizes, members = sets(activations, scores, seed=seed)
        assert (members[:, 0] == 0).all(), "the label comes first"
        assert (sizes >= 1).all()
        kept += (members == 2).any(axis=1).sum()
    assert kept >= binom(10 * repetitions, 0.95).ppf(0.001)


def test_words_that_fit_as_well_are_in_the_set_together():
    kept, repetitions = 0, 20
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=(200, 12))
        activations = scores[:, :8].sum(axis=1, keepdims=True) + 2 * rng.normal(size=(200, 15))
        _, members = sets(activations, scores, seed=seed)
        kept += sum(set(range(8)) <= set(row) for row in members.tolist())
    assert kept >= binom(15 * repetitions, 0.95).ppf(0.001)


def test_of_many_contenders_bonferronis_bound_decides_and_blocks_count_as_one_image():
    """More than 100 stay: the one that is furthest behind the label leaves beyond Student's quantile at 0.05 / 150."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20, 150))
    activation = scores[:, :1] + rng.normal(size=(20, 1))
    correlation, error = _against_leader(_standard(activation), _standard(scores[:, :1]), scores)
    behind = ((correlation[0, 0] - correlation[0, 1:]) / error[0, 1:]).max()
    bound = student(18).ppf(1 - 0.05 / 150)
    for beyond, size in ((0.999, 150), (1.001, 149)):
        block = (behind / (beyond * bound)) ** 2
        sizes, _ = label_sets(activation, scores, np.array([0]), blocks_of=np.array([block]), seed=0)
        assert sizes.tolist() == [size]


def test_with_many_images_the_set_is_the_label():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(600, 200))
    sizes, members = sets(scores[:, :1] + rng.normal(size=(600, 20)), scores)
    assert sizes.tolist() == [1] * 20
    assert (members[:, 1:] == -1).all()


def test_synonyms_stay_together_and_constants_are_not_compared():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(600, 5))
    scores = np.column_stack([scores, 3 * scores[:, 0] + 1, np.zeros(600)])
    sizes, members = sets(scores[:, :1] + rng.normal(size=(600, 1)), scores)
    assert (sizes[0], members[0, :3].tolist()) == (2, [0, 5, -1])
    assert sets(scores[:, :1], scores, leader=6)[0].tolist() == [-1], "a label that is constant here"
    assert sets(scores[:14, :1], scores[:14])[0].tolist() == [-1], "too few images"
    assert sets(scores[:15, :1], scores[:15])[0].tolist() != [-1]


def test_noise_that_no_word_fits_best_keeps_nearly_all():
    rng = np.random.default_rng(0)
    sizes, members = sets(rng.normal(size=(100, 30)), rng.normal(size=(100, 50)))
    assert np.median(sizes) >= 45
    assert members.shape == (30, 20)


def test_labels_come_with_their_sets():
    rng = np.random.default_rng(0)
    presence = (rng.random((400, 20)) < 0.2) * 1.0
    activations = np.column_stack([presence[:, :5] + rng.normal(0, 0.3, (400, 5)), rng.normal(size=(400, 5))])
    twins = np.column_stack([presence, presence[:, 3]])
    options = EvidenceOptions(draws=300, resamples=10)
    result = label_units(activations, twins, model="m", layer="l", similarity="pearson", options=options)
    assert result.label_set_size.tolist() == [1, 1, 1, 2, 1, -1, -1, -1, -1, -1]
    assert result.label_set[3, :3].tolist() == [3, 20, -1]
    assert (result.label_set[5:] == -1).all()
