"""Labels, margins and the right to have no label."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from lumiscope.dissection import get_similarity, label_units, similarity_methods, small_sample_notes
from lumiscope.errors import ScorerError, UnknownNameError

NAMES = sorted(similarity_methods())


def case(images=200, units=6, concepts=5, seed=0):
    generator = np.random.default_rng(seed)
    activations = generator.random((images, units), dtype=np.float32)
    return activations, generator.uniform(0.1, 0.4, (images, concepts)).astype(np.float32)


def label(activations, scores, **options):
    return label_units(activations, scores, model="m", layer="l", **options)


@pytest.mark.parametrize("name", NAMES)
def test_label_score_runner_up_and_margin_come_from_the_similarities(name):
    activations, scores = case()
    similarities = get_similarity(name)(activations, scores)
    result = label(activations, scores, similarity=name)
    order = np.argsort(-similarities, axis=1)
    np.testing.assert_array_equal(result.concept, order[:, 0])
    np.testing.assert_array_equal(result.runner_up, order[:, 1])
    best, second = np.sort(similarities, axis=1)[:, :-3:-1].T
    np.testing.assert_allclose(result.score, best, rtol=1e-12)
    np.testing.assert_allclose(result.margin, best - second, rtol=0, atol=1e-12)
    assert result.reason == ("",) * 6
    assert (result.model, result.layer, len(result)) == ("m", "l", 6)


@pytest.mark.parametrize("name", NAMES)
def test_dead_and_broken_units_get_no_label_and_change_no_other(name):
    activations, scores = case()
    alive = label(activations, scores, similarity=name)
    bad = np.column_stack([np.zeros(200), np.full(200, 2.5), np.full(200, np.nan), activations[:, 0]])
    bad[7, 3] = np.inf
    result = label(np.column_stack([bad[:, :1], activations, bad[:, 1:]]), scores, similarity=name)

    dead = "constant: the same activation on every probing image (dead)"
    assert result.reason == (dead, *[""] * 6, dead, "not finite", "not finite")
    out = [0, 7, 8, 9]
    assert (result.concept[out] == -1).all()
    assert (result.runner_up[out] == -1).all()
    assert np.isnan(result.score[out]).all()
    assert np.isnan(result.margin[out]).all()
    np.testing.assert_array_equal(result.concept[1:7], alive.concept)
    np.testing.assert_allclose(result.score[1:7], alive.score, rtol=1e-12)


def test_only_dead_units_is_no_error():
    result = label(np.zeros((200, 3)), case()[1])
    assert (result.concept == -1).all()
    assert result.top_images.shape == (3, 10)


def test_an_undefined_similarity_is_no_label_with_a_reason():
    """Rank reorder needs an order among the top 5 %; here the 10 highest are equal."""
    activations = np.repeat([1.0, 0.0], [50, 150])[:, np.newaxis]
    result = label(activations, case()[1], similarity="rank_reorder")
    assert result.concept[0] == -1
    assert result.reason == ("undefined: the similarity gives no concept a finite score",)


def test_ties_go_to_the_lower_concept():
    activations, scores = case()
    result = label(activations, scores[:, [3, 1, 1, 3, 3]])
    assert set(result.concept) <= {0, 1}
    np.testing.assert_array_equal(result.runner_up, np.where(result.concept == 0, 3, 2))
    np.testing.assert_array_equal(result.margin, 0)


def test_one_concept_has_no_runner_up():
    activations, scores = case(concepts=1)
    result = label(activations, scores)
    np.testing.assert_array_equal(result.concept, 0)
    np.testing.assert_array_equal(result.runner_up, -1)
    assert np.isnan(result.margin).all()
    assert np.isfinite(result.score).all()


def test_a_runner_up_without_a_finite_score_is_none():
    activations = np.arange(100.0)[:, np.newaxis]
    scores = np.stack([np.linspace(0.1, 1, 100), np.full(100, -1.0)], axis=1)
    result = label(activations, scores, similarity="rank_reorder")
    assert (result.concept[0], result.runner_up[0]) == (0, -1)
    assert np.isnan(result.margin[0])


def test_top_images_are_the_most_active_first():
    activations, scores = case()
    result = label(activations, scores, top_images=4)
    order = np.argsort(-activations, axis=0, kind="stable")[:4].T
    np.testing.assert_array_equal(result.top_images, order)
    np.testing.assert_array_equal(result.top_activations, np.take_along_axis(activations.T, order, axis=1))
    assert result.top_activations.dtype == np.float32
    assert label(activations[:3], scores[:3], top_images=4).top_images.shape == (6, 3)


def test_scores_that_are_not_finite_or_do_not_fit_are_refused():
    activations, scores = case()
    with pytest.raises(ScorerError, match="same images"):
        label(activations[1:], scores)
    scores[3, 2] = np.nan
    with pytest.raises(ScorerError, match="image 3, concept 2"):
        label(activations, scores)


def test_few_images_are_said():
    assert small_sample_notes("soft_wpmi", 100) == ()
    (note,) = small_sample_notes("soft_wpmi", 60)
    assert note.startswith("60 probing images are few: soft weighted")
    assert "defined for 100 or more" in note
    assert small_sample_notes("cos", 1) == ()
    assert [len(small_sample_notes("wpmi", count)) for count in (28, 29)] == [1, 0]
    assert [len(small_sample_notes("rank_reorder", count)) for count in (39, 40)] == [1, 0]
    with pytest.raises(UnknownNameError):
        small_sample_notes("nothing", 5)


def test_units_that_own_their_concepts_are_named_after_the_best_of_them():
    """With few units soft WPMI reaches log U for every concept that goes along with a unit's own: the order by exact
    arithmetic (the odds against the other units, which keep their digits) must not be lost to rounding."""
    rng = np.random.default_rng(0)
    unit_of = np.repeat(np.arange(3), 150)
    activations = rng.random((450, 3)) + 5 * (unit_of[:, None] == np.arange(3))
    # For each unit a concept of its own, and after and before it two that come along with it, weaker.
    strength = np.array([0.45, 0.6, 0.45])
    scores = np.concatenate([np.outer(unit_of == unit, strength) for unit in range(3)], axis=1)
    scores += rng.normal(0, 0.01, scores.shape)
    method = get_similarity("soft_wpmi")
    similarities = method(activations, scores)
    own = similarities[0, :3]
    assert np.ptp(own) < 1e-13, "the case is one where rounding decides"
    labels = label_units(activations, scores, model="m", layer="l", similarity="soft_wpmi")
    assert labels.concept.tolist() == [1, 4, 7]
    assert (labels.margin >= 0).all()
    likelihood = method.tie_breaker(activations, scores)
    odds = likelihood - [[logsumexp(np.delete(likelihood[:, k], u)) for k in range(9)] for u in range(3)]
    assert odds.argmax(axis=1).tolist() == [1, 4, 7]
