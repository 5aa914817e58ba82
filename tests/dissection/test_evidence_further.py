"""Further labels: both halves of an "or", no second word for one thing, and the numbers by plain regression."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from lumiscope.dissection import EvidenceOptions, label_units
from lumiscope.dissection._selection import Selection
from lumiscope.dissection.evidence._partial_correlation import partial_test, permutation_tail
from lumiscope.dissection.evidence.further_labels import _Half, _propose, further_labels

IMAGES, CONCEPTS, UNITS = 2000, 120, 60


def planted(kind, soft=False, seed=0):
    rng = np.random.default_rng(seed)
    presence = rng.random((IMAGES, CONCEPTS)) < np.geomspace(0.05, 0.4, CONCEPTS)
    first = rng.integers(0, CONCEPTS, UNITS)
    second = (first + rng.integers(1, CONCEPTS, UNITS)) % CONCEPTS
    concept, other = presence[:, first], presence[:, second]
    active = {"single": concept, "or": concept | other, "and": concept & other}[kind]
    activations = np.maximum(active + rng.normal(0, 0.3, active.shape), 0)
    scores = 0.2 + 0.05 * presence + rng.normal(0, 0.03, presence.shape) if soft else presence.astype(np.float32)
    return activations, scores, first, second


def residual(values, given):
    design = np.column_stack([np.ones(len(values)), given])
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


@pytest.mark.parametrize("soft", [False, True])
def test_both_halves_of_an_or_are_reported(soft):
    activations, scores, first, second = planted("or", soft)
    labels = further_labels(activations, scores, first, max_labels=3, seed=0)
    assert np.mean(labels[:, 0] == second) >= 0.9
    assert np.mean(labels[:, 1] >= 0) <= 0.05
    assert (further_labels(activations, scores, second, max_labels=2, seed=1)[:, 0] == first).mean() >= 0.9


@pytest.mark.parametrize("soft", [False, True])
def test_a_unit_of_one_concept_gets_no_other(soft):
    activations, scores, first, _ = planted("single", soft)
    assert np.mean(further_labels(activations, scores, first, max_labels=3, seed=0) >= 0) <= 0.05


def test_most_ands_show_both_their_parts():
    activations, scores, first, second = planted("and")
    assert np.mean(further_labels(activations, scores, first, max_labels=2, seed=0)[:, 0] == second) >= 0.6


def test_synonyms_are_never_both_reported():
    activations, scores, first, second = planted("or")
    nearly = scores.copy()
    nearly[:3] = 1 - nearly[:3]
    labels = further_labels(activations, np.column_stack([scores, scores, nearly]), first, max_labels=3, seed=0)
    assert np.mean(labels[:, 0] % CONCEPTS == second) >= 0.9
    assert not (labels % CONCEPTS == first[:, np.newaxis])[labels >= 0].any()
    both = (labels >= 0).all(axis=1)
    assert not (labels[both, 0] % CONCEPTS == labels[both, 1] % CONCEPTS).any()


def test_no_label_no_further_one_and_few_images_none():
    activations, scores, first, _ = planted("or")
    none = np.where(np.arange(UNITS) % 2, first, -1)
    assert (further_labels(activations, scores, none, max_labels=2, seed=0)[::2] == -1).all()
    assert (further_labels(activations[:19], scores[:19], first, max_labels=2, seed=0) == -1).all()
    assert further_labels(activations, scores, first, max_labels=1, seed=0).shape == (UNITS, 0)


def test_constant_concepts_and_units_explained_to_the_last_digit_are_no_error():
    rng = np.random.default_rng(0)
    scores = (rng.random((100, 4)) < 0.3).astype(np.float64)
    scores[:, 3] = 1
    labels = further_labels(scores[:, :2], scores, np.array([0, 1]), max_labels=3, seed=0)
    assert (labels == -1).all()


def test_what_is_proposed_has_the_highest_partial_correlation_by_regression():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(90, 7)) + rng.normal(size=(90, 1))
    activations = scores[:, [0, 1, 2]] + scores[:, [3, 4, 5]] + rng.normal(size=(90, 3))
    labels = np.array([[0, 3], [1, 6], [2, 0]])
    proposed = _propose(_Half(Selection(activations), Selection(scores)), np.arange(3), labels)
    for unit in range(3):
        partial = np.full(7, -np.inf)
        for concept in set(range(7)) - set(labels[unit]):
            rests = [residual(values, scores[:, labels[unit]]) for values in (activations[:, unit], scores[:, concept])]
            partial[concept] = np.corrcoef(*rests)[0, 1]
        assert proposed[unit] == partial.argmax()


def test_the_partial_correlation_is_that_of_the_residuals():
    rng = np.random.default_rng(1)
    given = rng.normal(size=(200, 2))
    scores = given[:, 0] + rng.normal(size=200)
    activation = given[:, 1] + 0.3 * scores + rng.normal(size=200)
    plain, partial, p_value = partial_test(activation, scores, given)
    rests = residual(activation, given), residual(scores, given)
    assert plain == pytest.approx(np.corrcoef(activation, scores)[0, 1])
    assert partial == pytest.approx(np.corrcoef(*rests)[0, 1])
    quantiles = stats.norm.ppf(stats.rankdata(rests[0]) / 201)
    assert p_value == pytest.approx(permutation_tail(quantiles, rests[1]), rel=1e-6)


def pairs():
    """Six images: a rare concept and a skewed unit, the same turned round, graded scores, and one that is symmetric.

    (Of a concept on a third of the images the third and fourth central moments are one number; of graded scores not.)
    """
    rare, skewed = np.array([0.0, 0, 0, 0, 1, 1]), np.array([0.1, 0.2, 0.4, 0.8, 3.0, 1.6])
    graded = np.array([0.3, 0.1, 0.0, 1.0, 2.5, 0.7])
    return {
        "right": (skewed, rare),
        "left": (-skewed, rare),
        "graded": (skewed, graded),
        "symmetric": (np.arange(6.0), skewed),
    }


@pytest.mark.parametrize("kind", pairs())
def test_the_tail_is_that_of_pearson_type_three_with_the_moments_of_all_permutations(kind):
    first, second = pairs()[kind]
    sums = np.array([np.dot(first, order) for order in itertools.permutations(second)])
    tail = stats.pearson3(stats.skew(sums), sums.mean(), sums.std())
    assert stats.skew(sums) == pytest.approx(0, abs=1e-12) if kind == "symmetric" else abs(stats.skew(sums)) > 0.1
    for order in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [4, 1, 2, 3, 0, 5], [3, 0, 5, 1, 4, 2]):
        permuted = second[order]
        assert permutation_tail(first, permuted) == pytest.approx(tail.sf(first @ permuted), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("active", "shown", "both"), [(30, 100, 6), (300, 300, 103), (300, 300, 109), (200, 50, 11)])
def test_the_tail_of_presence_is_that_of_counting(active, shown, both):
    """On how many images two sets meet that know nothing of each other; half of the ties count, as it is continuous."""
    unit = np.where(np.arange(1000) < active, 1.0, 0.0)
    concept = np.zeros(1000)
    concept[:both] = concept[active : active + shown - both] = 1
    chance = stats.hypergeom(1000, active, shown)
    assert permutation_tail(unit, concept) == pytest.approx((chance.sf(both - 1) + chance.sf(both)) / 2, rel=0.1)


def test_an_image_set_that_decides_between_label_and_further_label_makes_neither_unstable():
    """The unit fires where one of two concepts is; which of them is nearer, the drawn images decide."""
    rng = np.random.default_rng(0)
    presence = (rng.random((600, 8)) < 0.15).astype(np.float64)
    activations = (presence[:, :1] + presence[:, 1:2] > 0) + rng.normal(0, 0.2, (600, 1))
    options = EvidenceOptions(min_stability=0.97, draws=100, resamples=40)
    result = label_units(activations, presence, model="m", layer="l", similarity="pearson", options=options)
    assert {int(result.concept[0]), int(result.further[0, 0])} == {0, 1}
    assert result.evidence.stability[0] < 0.97, "the label alone is first less often than is asked for"
    alone = EvidenceOptions(min_stability=0.97, draws=100, resamples=40, max_labels=1)
    result = label_units(activations, presence, model="m", layer="l", similarity="pearson", options=alone)
    assert result.concept[0] == -1


def test_of_what_labels_leave_over_a_concept_is_the_more_for_being_explained_itself():
    """√.75 of the first concept is the label: its partial correlation is .3 / √.25 = .6 of the rest, the other's .5."""
    label, rest, other = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])[1:].astype(float)
    scores = np.column_stack([label, np.sqrt(0.75) * label + 0.5 * rest, other])
    activations = (label + 0.6 * rest + 0.5 * other)[:, np.newaxis]
    half = _Half(Selection(activations), Selection(scores))
    assert _propose(half, np.array([0]), np.array([[0]])).tolist() == [1]
