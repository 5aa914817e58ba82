"""Every similarity against its plain loop, and against truths that need no reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lumiscope.dissection import SIMILARITIES
from lumiscope.dissection.top_images import most_active_images
from lumiscope.errors import ScorerError, UnknownNameError

SHARED = Path(__file__).parents[2].parent / "shared"
TABLE = SHARED / "data/concepts/imagenet1k_sample_scores_3k.npz"
NAMES = list(SIMILARITIES)
# Sums over thresholds, and WPMI's over images, are made in float32 a few at a time; everything else is float64.
OVER_THRESHOLDS = {"average_precision", "f1", "iou"}
TOLERANCES = {**dict.fromkeys(OVER_THRESHOLDS, 1e-6), "wpmi": 1e-5}
# What float32 scores are normalised by is float32.
FLOAT32_TOLERANCES = {**TOLERANCES, "soft_wpmi": 1e-6}
# D, U, K: one unit, one concept, fewer images than any definition asks for, WPMI's 28, more than a thousand images.
SHAPES = [(150, 4, 7), (150, 1, 5), (150, 3, 1), (5, 3, 4), (1, 2, 3), (28, 4, 6), (45, 3, 5), (2100, 2, 3)]


def random_case(images, units, concepts, seed=0):
    generator = np.random.default_rng([seed, images, units, concepts])
    activations = np.maximum(generator.normal(0.5, 1, (images, units)), 0)
    return activations, generator.uniform(-0.05, 0.4, (images, concepts))


def assert_alike(got, wanted, tolerance):
    """Equal up to `tolerance` of the largest finite score or of 1; NaN and infinities in the same places."""
    finite = np.isfinite(wanted)
    scale = np.abs(wanted[finite]).max(initial=0)
    np.testing.assert_array_equal(got[~finite], wanted[~finite])
    np.testing.assert_allclose(got[finite], wanted[finite], rtol=0, atol=tolerance * max(scale, 1))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_plain_loop(name, shape, references):
    if shape[0] > 1000 and name in ("auroc", *OVER_THRESHOLDS):
        pytest.skip("the plain loop takes the square of the images")
    activations, scores = random_case(*shape)
    got = SIMILARITIES[name](activations, scores)
    assert got.dtype == np.float64
    assert got.shape == (shape[1], shape[2])
    assert_alike(got, references[name](activations, scores), TOLERANCES.get(name, 1e-11))


@pytest.mark.parametrize("name", NAMES)
def test_ties_follow_the_stated_rule(name, references):
    """Activations of 3 values and scores of 4: nearly everything ties, and only one order is right."""
    generator = np.random.default_rng(3)
    activations = generator.integers(0, 3, (160, 5)).astype(float)
    activations[:3] += 1  # so that the top 8 images are not all equal
    scores = generator.integers(0, 4, (160, 6)) / 10
    assert_alike(
        SIMILARITIES[name](activations, scores), references[name](activations, scores), TOLERANCES.get(name, 1e-11)
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(150, 4, 7), (600, 12, 40)], ids=str)
def test_float32_inputs_lose_nothing(name, shape):
    activations, scores = (array.astype(np.float32) for array in random_case(*shape))
    method = SIMILARITIES[name]
    wide = method(activations.astype(np.float64), scores.astype(np.float64))
    assert_alike(method(activations, scores), wide, FLOAT32_TOLERANCES.get(name, 1e-12))


@pytest.mark.parametrize("name", NAMES)
def test_rounding_the_inputs_to_float32_changes_little(name):
    activations, scores = random_case(600, 12, 40)
    method = SIMILARITIES[name]
    rounded = method(activations.astype(np.float32), scores.astype(np.float32))
    assert_alike(rounded, method(activations, scores), 1e-5)


def test_soft_wpmi_keeps_the_digits_of_nearly_equal_concepts(references):
    """With 3,000 concepts the sums are near -430 and differ in the 5th digit: float32 sums would give multiples of
    2^-15, here the differences between units are exact."""
    generator = np.random.default_rng(5)
    scores = generator.uniform(0.18, 0.2, (120, 3000))
    scores[0, 0], scores[1, 1] = -0.14, 1.0
    activations = generator.random((120, 2))
    got = SIMILARITIES["soft_wpmi"](activations, scores)
    wanted = references["soft_wpmi"](activations, scores)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-12)
    assert len(np.unique(got)) == got.size


@pytest.mark.parametrize("name", NAMES)
def test_finds_a_planted_concept(name):
    """Unit u responds to concept 3u + 1 and to noise: that concept must win."""
    generator = np.random.default_rng(11)
    scores = generator.uniform(0.1, 0.3, (2000, 30))
    planted = np.arange(10) * 3 + 1
    activations = np.exp(20 * scores[:, planted]) + generator.normal(0, 0.1, (2000, 10))
    np.testing.assert_array_equal(SIMILARITIES[name](activations, scores).argmax(axis=1), planted)


def test_a_unit_that_is_a_concept_has_the_highest_possible_similarity():
    _, scores = random_case(200, 1, 5)
    for name in ("cos", "cos_cubed"):
        np.testing.assert_allclose(np.diag(SIMILARITIES[name](50 * scores, 9 * scores + 0)), 1)
    order = SIMILARITIES["rank_reorder"](scores, np.abs(scores))
    np.testing.assert_array_equal(np.diag(order), 0)
    assert (order <= 0).all()


@pytest.mark.parametrize("name", ["wpmi", "soft_wpmi"])
def test_a_layer_of_one_unit_compares_it_with_itself(name):
    """U = 1: logsumexp_u L - log U is L itself, so soft WPMI (weight 1) is 0 and WPMI (weight 0.6) is 0.4 L < 0."""
    similarities = SIMILARITIES[name](*random_case(150, 1, 5))
    if name == "soft_wpmi":
        np.testing.assert_allclose(similarities, 0, atol=1e-12)
    else:
        assert (similarities < 0).all()


def test_wpmi_cannot_tell_units_apart_on_28_images():
    similarities = SIMILARITIES["wpmi"](*random_case(28, 4, 6))
    np.testing.assert_allclose(similarities, np.tile(similarities[:1], (4, 1)), atol=1e-5)


class TestRankReorder:
    method = SIMILARITIES["rank_reorder"]

    def test_one_image_has_no_order(self):
        assert np.isnan(self.method(np.ones((1, 2)), np.ones((1, 3)))).all()

    def test_equal_top_activations_have_no_order(self):
        activations = np.repeat([1.0, 0.0], [30, 70])[:, np.newaxis]
        assert np.isnan(self.method(activations, random_case(100, 1, 4)[1])).all()

    def test_a_concept_absent_from_the_top_images_is_no_label(self):
        activations = np.arange(100.0)[:, np.newaxis]
        scores = np.stack([np.linspace(-1, -0.5, 100), np.zeros(100), np.linspace(0.5, 1, 100)], axis=1)
        np.testing.assert_array_equal(self.method(activations, scores), [[-np.inf, -np.inf, 0]])

    def test_a_constant_concept_gets_no_credit_for_the_order(self):
        """All scores tie, so the order is reversed: as bad as a concept can be."""
        activations = np.arange(100.0)[:, np.newaxis]
        scores = np.stack([np.full(100, 0.5), np.linspace(0.6, 0.4, 100)], axis=1)
        constant, reversing = self.method(activations, scores)[0]
        assert constant == pytest.approx(reversing * (scores[95:, 1].mean() / 0.5) ** 0.5)

    @pytest.mark.parametrize("count", range(2, 60))
    def test_the_seeded_permutations_never_leave_the_baseline_at_zero(self, count):
        """Also where all but one of the top activations are equal, some permutation moves the odd one."""
        activations = np.zeros((20 * count, 2))
        activations[:count] = 1
        activations[0, 0] = 2
        activations[1:count, 1] = 2
        similarities = self.method(activations, np.full((20 * count, 1), 0.5))
        assert np.isfinite(similarities).all()

    def test_very_many_images(self, references):
        """250,000 images with 12,500 top ones: ranks and places no longer fit 32 bits together."""
        activations, scores = random_case(250_000, 1, 2)
        assert_alike(self.method(activations, scores), references["rank_reorder"](activations, scores), 1e-11)

    def test_a_unit_does_not_depend_on_the_others(self):
        activations, scores = random_case(200, 6, 4)
        np.testing.assert_array_equal(self.method(activations, scores)[2:3], self.method(activations[:, 2:3], scores))


def test_most_active_images_breaks_ties_by_index_and_puts_nan_last():
    activations = np.array([[1, 0, np.nan], [3, 0, 1], [3, 0, 2], [2, 0, np.nan]])
    np.testing.assert_array_equal(most_active_images(activations, 3), [[1, 2, 3], [0, 1, 2], [2, 1, 0]])
    np.testing.assert_array_equal(most_active_images(activations, 9), [[1, 2, 3, 0], [0, 1, 2, 3], [2, 1, 0, 3]])


def test_most_active_images_of_a_layer_of_which_every_unit_is_dead_or_broken():
    activations = np.zeros((1000, 2), np.float32)
    activations[:, 1] = np.nan
    np.testing.assert_array_equal(most_active_images(activations, 3), [[0, 1, 2]] * 2)


def test_an_unknown_similarity_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean soft_wpmi"):
        SIMILARITIES.check("softwpmi")


@pytest.mark.parametrize(
    ("activations", "scores", "message"),
    [((5, 2), (6, 3), "same images"), ((5,), (5, 3), "same images"), ((0, 2), (0, 3), "at least one image")],
)
def test_arrays_that_do_not_fit_are_refused(activations, scores, message):
    with pytest.raises(ScorerError, match=message):
        SIMILARITIES["cos"](np.ones(activations), np.ones(scores))


@pytest.mark.skipif(not TABLE.is_file(), reason=f"needs the shared score table {TABLE}")
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_plain_loop_on_real_scores(name, references):
    """float16 scores of 1,000 ImageNet images: many ties and nearly equal concepts; 3 units, every
    10th or 1,500th concept.

    WPMI and soft WPMI normalise over the concepts, so there the reference sees the same ones.
    """
    step = 1500 if name in ("auroc", *OVER_THRESHOLDS) else 10  # plain loops that take the square of the images
    scores = np.load(TABLE)["scores"][:, ::step]
    activations = np.random.default_rng(2).random((1000, 3), dtype=np.float32)
    got = SIMILARITIES[name](activations, scores)
    wanted = references[name](activations.astype(np.float64), scores.astype(np.float64))
    assert_alike(got, wanted, max(TOLERANCES.get(name, 0), 1e-10))


def test_the_cubed_cosine_is_the_same_on_any_scale():
    """Powers of two change no digit. A column that varies by rounding alone, or not at all, is like nothing."""
    rng = np.random.default_rng(0)
    activations, scores = rng.random((60, 4)), 0.2 + 0.02 * rng.normal(size=(60, 5))
    plain = SIMILARITIES["cos_cubed"](activations, scores)
    powers = 2.0 ** np.array([-40, -3, 0, 5, 60])
    np.testing.assert_array_equal(SIMILARITIES["cos_cubed"](activations * 2.0**-30, scores * powers), plain)
    np.testing.assert_allclose(SIMILARITIES["cos_cubed"](activations, 1e-9 * scores), plain, rtol=1e-9)
    flat = np.column_stack([np.full(60, 0.3), 0.3 + 1e-8 * rng.normal(size=60), np.zeros(60)])
    np.testing.assert_array_equal(SIMILARITIES["cos_cubed"](activations, flat), 0)


def test_concepts_of_little_spread_are_found_as_often_as_those_of_much():
    """Scores of image-text models spread by about 0.02, some words by less; 100 images, one unit for each word."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(100, 300))
    activations = truth + rng.normal(0, 1.2, truth.shape)
    spread = np.where(np.arange(300) % 2, 0.02, 0.2)
    right = SIMILARITIES["cos_cubed"](activations, 0.2 + spread * truth).argmax(axis=1) == np.arange(300)
    assert right[0::2].mean() == pytest.approx(right[1::2].mean(), abs=3 * np.sqrt(2 * 0.25 / 150))
    alike = SIMILARITIES["cos_cubed"](activations, truth).argmax(axis=1) == np.arange(300)
    np.testing.assert_array_equal(right, alike)
