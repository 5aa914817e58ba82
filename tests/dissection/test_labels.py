"""Labels, margins, what is said of every unit, and the right to have no label."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

from lumiscope.columns import ColumnFile
from lumiscope.dissection import SIMILARITIES, EvidenceOptions, label_units
from lumiscope.dissection.evidence.counter_examples import counter_examples
from lumiscope.errors import ScorerError, UsageError
from lumiscope.runs import NoLabel, Reason

NAMES = sorted(SIMILARITIES)
QUICK = EvidenceOptions(draws=200, resamples=10)
EVERY = EvidenceOptions(fdr=1, min_stability=0, draws=100, resamples=4)


def case(images=200, units=6, concepts=5, seed=0):
    generator = np.random.default_rng(seed)
    activations = generator.random((images, units), dtype=np.float32)
    return activations, generator.uniform(0.1, 0.4, (images, concepts)).astype(np.float32)


def label(activations, scores, similarity="soft_wpmi", options=None, **more):
    return label_units(activations, scores, model="m", layer="l", similarity=similarity, options=options, **more)


@pytest.mark.parametrize("name", NAMES)
def test_label_score_runner_up_and_margin_come_from_the_similarities(name):
    activations, scores = case()
    similarities = SIMILARITIES[name](activations, scores)
    result = label(activations, scores, name)
    order = np.argsort(-similarities, axis=1)
    np.testing.assert_array_equal(result.concept, order[:, 0])
    np.testing.assert_array_equal(result.runner_up, order[:, 1])
    np.testing.assert_array_equal(result.best, order)
    ordered = np.take_along_axis(similarities, order, axis=1)
    np.testing.assert_allclose(result.best_scores, ordered, rtol=1e-10)
    np.testing.assert_allclose(result.margin, ordered[:, 0] - ordered[:, 1], rtol=0, atol=1e-10)
    assert result.reason == (None,) * 6
    assert result.evidence is None
    assert (result.model, result.layer, len(result)) == ("m", "l", 6)


@pytest.mark.parametrize("options", [None, EVERY])
@pytest.mark.parametrize("name", NAMES)
def test_dead_and_broken_units_get_no_label_and_change_no_other(name, options):
    activations, scores = case()
    alive = label(activations, scores, name, options)
    bad = np.column_stack([np.zeros(200), np.full(200, 2.5), np.full(200, np.nan), activations[:, 0]])
    bad[7, 3] = np.inf
    result = label(np.column_stack([bad[:, :1], activations, bad[:, 1:]]), scores, name, options)

    everywhere = NoLabel(Reason.NOT_FINITE, "NaN or infinite on 200 probing images, first on number 0 (from 0)")
    once = NoLabel(Reason.NOT_FINITE, "NaN or infinite on 1 probing image, first on number 7 (from 0)")
    dead = NoLabel(Reason.DEAD, "0 on every probing image")
    constant = NoLabel(Reason.CONSTANT, "2.5 on every probing image")
    assert result.reason == (dead, *[None] * 6, constant, everywhere, once)
    out = [0, 7, 8, 9]
    for chosen in (result.concept, result.runner_up, result.best, result.further, result.active_without):
        assert (chosen[out] == -1).all()
    assert np.isnan(result.score[out]).all()
    assert np.isnan(result.margin[out]).all()
    np.testing.assert_array_equal(result.concept[1:7], alive.concept)
    np.testing.assert_allclose(result.score[1:7], alive.score, rtol=1e-10)
    np.testing.assert_array_equal(result.histogram[[8, 9]], 0)
    assert np.isnan(result.span[[8, 9]]).all()
    if options:
        for name in ("p_value", "q_value", "stability", "heldout_correlation"):
            assert np.isnan(getattr(result.evidence, name)[out]).all()
            np.testing.assert_allclose(getattr(result.evidence, name)[1:7], getattr(alive.evidence, name), rtol=1e-9)


@pytest.mark.parametrize("options", [None, QUICK])
def test_only_dead_units_is_no_error(options):
    result = label(np.zeros((200, 3)), case()[1], options=options)
    assert (result.concept == -1).all()
    assert result.top_images.shape == (3, 10)
    assert (result.evidence is None) == (options is None)


@pytest.mark.parametrize("options", [None, QUICK])
def test_an_undefined_similarity_is_no_label_with_a_reason(options):
    """Rank reorder needs an order among the top 5 %; here the 10 highest are equal."""
    activations = np.repeat([1.0, 0.0], [50, 150])[:, np.newaxis]
    result = label(activations, case()[1], "rank_reorder", options)
    assert result.concept[0] == -1
    assert result.reason == (NoLabel(Reason.UNDEFINED, "the similarity gives no concept a finite score"),)


def test_ties_go_to_the_lower_concept():
    activations, scores = case()
    result = label(activations, scores[:, [3, 1, 1, 3, 3]])
    assert set(result.concept) <= {0, 1}
    np.testing.assert_array_equal(result.runner_up, np.where(result.concept == 0, 3, 2))
    np.testing.assert_allclose(result.margin, 0, atol=1e-12)


def test_one_concept_has_no_runner_up():
    activations, scores = case(concepts=1)
    result = label(activations, scores, options=EVERY)
    np.testing.assert_array_equal(result.concept, 0)
    np.testing.assert_array_equal(result.runner_up, -1)
    np.testing.assert_array_equal(result.best[:, 1:], -1)
    assert np.isnan(result.margin).all()
    assert np.isfinite(result.score).all()
    np.testing.assert_array_equal(result.evidence.stability, 1)


def test_a_runner_up_without_a_finite_score_is_none():
    activations = np.arange(100.0)[:, np.newaxis]
    scores = np.stack([np.linspace(0.1, 1, 100), np.full(100, -1.0)], axis=1)
    result = label(activations, scores, "rank_reorder")
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
    method = SIMILARITIES["soft_wpmi"]
    similarities = method(activations, scores)
    unit_similarities = similarities[0, :3]
    assert np.ptp(unit_similarities) < 1e-13, "the case is one where rounding decides"
    labels = label(activations, scores)
    assert labels.concept.tolist() == [1, 4, 7]
    assert (labels.margin >= 0).all()
    likelihood = method.unitwise(activations, scores)
    odds = likelihood - [[logsumexp(np.delete(likelihood[:, k], u)) for k in range(9)] for u in range(3)]
    assert odds.argmax(axis=1).tolist() == [1, 4, 7]


def test_histograms_count_every_image_between_the_lowest_and_the_highest():
    activations, scores = case()
    result = label(activations, scores)
    np.testing.assert_array_equal(result.span, np.stack([activations.min(0), activations.max(0)], axis=1))
    for unit in range(6):
        column = activations[:, unit].astype(np.float64)
        edges = np.linspace(column.min(), column.max(), 21)
        counts = [np.sum((column >= low) & (column < high)) for low, high in itertools.pairwise(edges)]
        counts[-1] += np.sum(column == edges[-1])
        np.testing.assert_array_equal(result.histogram[unit], counts)


def test_counter_examples_of_a_unit_that_errs_on_known_images():
    presence = np.zeros((100, 2), np.float32)
    presence[:20, 0] = 1
    presence[50:80, 1] = 1
    activation = np.linspace(0.2, 0.1, 100) + presence[:, 0]
    activation[[3, 7]] = [-0.2, -0.1]
    activation[[60, 90]] = [3.0, 2.0]
    result = label(activation[:, np.newaxis], presence, "pearson")
    assert result.concept[0] == 0
    assert result.active_without[0].tolist() == [60, 90, -1]
    assert result.silent_with[0].tolist() == [3, 7, -1]


@pytest.mark.parametrize(
    ("shown_on", "without"), [([20], [40, 60, -1]), ([], [40, 60, 20]), ([20, 40, 60], [-1, -1, -1])]
)
def test_a_unit_that_fires_on_three_of_a_hundred_images_is_active_on_those_alone(shown_on, without):
    """Of the 10 images on which it is most active it is silent on 7: these are nobody's counter-examples."""
    activation, presence = np.zeros(100, np.float32), np.zeros((100, 1), np.float32)
    activation[[20, 40, 60]] = [1, 3, 2]
    presence[shown_on] = 1
    active_without, silent_with = counter_examples(activation[:, np.newaxis], presence, np.array([0]))
    assert active_without[0].tolist() == without
    assert silent_with[0].tolist() == [-1, -1, -1]


def test_counter_examples_against_soft_scores():
    """Active on images with a score below the median; silent on images among the highest 5 %."""
    scores = np.linspace(0, 0.3, 200)[:, np.newaxis]
    activation = np.maximum(np.linspace(-1, 1, 200), 0)
    activation[[10, 195]] = [5.0, 0.0]
    result = label(activation[:, np.newaxis], scores, "cos")
    assert result.active_without[0].tolist() == [10, -1, -1]
    assert result.silent_with[0].tolist() == [195, -1, -1]


def test_noise_gets_no_label_and_keeps_what_it_is_nearest_to():
    activations, scores = case(images=300, units=60, concepts=40)
    result = label(activations, scores, "cos_cubed", QUICK)
    without = label(activations, scores, "cos_cubed")
    labelled = result.concept >= 0
    assert labelled.mean() <= 0.05
    assert all(str(reason).startswith("not significant: p = ") for reason in np.array(result.reason)[~labelled])
    np.testing.assert_array_equal(result.best, without.best)
    np.testing.assert_array_equal(result.score, without.score)
    assert (label(activations, scores, "cos_cubed", EVERY).concept == without.concept).all()


@pytest.mark.parametrize("name", ["cos_cubed", "pearson", "iou", "average_precision"])
def test_planted_units_are_labelled_with_evidence(name):
    rng = np.random.default_rng(0)
    presence = (rng.random((400, 30)) < 0.15).astype(np.float32)
    activations = np.maximum(presence + rng.normal(0, 0.3, presence.shape), 0)
    result = label(activations, presence, name, QUICK)
    np.testing.assert_array_equal(result.concept, np.arange(30))
    assert (result.evidence.q_value <= 0.05).all()
    assert (result.evidence.stability >= 0.9).all()
    assert (result.evidence.heldout_correlation > 0.5).all()
    assert (result.evidence.heldout_precision > 3 * result.evidence.heldout_chance).all()
    assert (result.further >= 0).any(axis=1).mean() <= 0.05


def test_two_words_for_one_thing_do_not_make_a_label_unstable_nor_a_second_one():
    rng = np.random.default_rng(0)
    presence = (rng.random((300, 10)) < 0.2).astype(np.float32)
    activations = presence + rng.normal(0, 0.4, presence.shape)
    result = label(activations, np.column_stack([presence, presence]), "pearson", QUICK)
    np.testing.assert_array_equal(result.concept, np.arange(10))
    np.testing.assert_array_equal(result.evidence.stability, 1)
    assert not np.isin(result.further, np.arange(10, 20)).any()


def test_a_label_that_changes_with_the_images_is_unstable():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=200)
    scores = truth[:, np.newaxis] + rng.normal(0, 0.1, (200, 60))
    result = label(truth[:, np.newaxis] + rng.normal(0, 1, (200, 1)), scores, "pearson", QUICK)
    stability = result.evidence.stability[0]
    assert stability < 0.5
    assert result.reason == (NoLabel(Reason.UNSTABLE, f"first in only {100 * stability:.0f} % of resamples"),)


@pytest.mark.parametrize("name", ["cos_cubed", "soft_wpmi", "iou"])
@pytest.mark.parametrize("images", [1, 2, 10])
def test_a_handful_of_images_is_no_error_and_no_evidence(name, images):
    activations, scores = case(images=images, units=7, concepts=30)
    result = label(activations, scores, name, QUICK)
    assert (result.concept == -1).all()
    assert result.top_images.shape == (7, min(images, 10))
    expected = {Reason.CONSTANT, Reason.UNDEFINED, Reason.NOT_SIGNIFICANT}
    assert {no_label.reason for no_label in result.reason} <= expected


def test_files_of_columns_give_what_arrays_give_and_seeds_matter_only_to_evidence():
    activations, scores = case(images=120, units=40, concepts=12)
    files = [ColumnFile.from_rows([matrix], *matrix.shape) for matrix in (activations, scores)]
    first, second = (label(*pair, "cos_cubed", QUICK) for pair in ((activations, scores), files))
    other = label(activations, scores, "cos_cubed", QUICK, seed=1)
    for field in dataclasses.fields(first.evidence):
        ours, theirs = getattr(first.evidence, field.name), getattr(second.evidence, field.name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
        assert field.name == "stability" or not np.array_equal(ours, getattr(other.evidence, field.name))
    np.testing.assert_array_equal(first.best, second.best)
    np.testing.assert_array_equal(first.best, other.best)


def test_options_out_of_range_are_said():
    with pytest.raises(UsageError, match="got fdr 0 "):
        EvidenceOptions(fdr=0)
    with pytest.raises(UsageError, match="resamples 0"):
        EvidenceOptions(resamples=0)
