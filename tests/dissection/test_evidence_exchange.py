"""Images that are not exchangeable: copies, groups, and an order of the list; and what noise may say then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dissection.noise import CONCEPTS, NOTHING, QUICK, UNITS, by_class, labelled, weak
from lumiscope.dissection import SIMILARITIES, KnownImages, label_units
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.dissection.evidence.neighbours import (
    _layer_block,
    autocorrelations,
    block_lengths,
    drift_within,
    neighbour_blocks,
)
from lumiscope.dissection.evidence.null_distribution import widening
from lumiscope.dissection.notes import image_notes


def test_single_images_are_permuted_and_drawn_as_images_are():
    groups = ImageGroups.single(9)
    assert groups.permuted(np.random.default_rng(3)).tolist() == np.random.default_rng(3).permutation(9).tolist()
    drawn = np.random.default_rng(3).integers(0, 9, 9).tolist()
    assert groups.resampled(np.random.default_rng(3)).tolist() == drawn


def test_a_group_in_the_place_of_another_repeats_or_lends_its_images():
    """Images 0 1 of a, 2 of b, 3 4 5 6 of c: b in a's place, c in b's, a in c's."""
    groups = ImageGroups.by(["a", "a", "b", "c", "c", "c", "c"])
    assert len(groups) == 3
    assert groups.first.tolist() == [0, 2, 3]
    assert groups.rearranged(np.array([1, 2, 0])).tolist() == [2, 2, 3, 0, 0, 1, 1]


@pytest.mark.parametrize("block", [1, 5])
def test_parts_cut_no_group_and_no_block(block):
    keys = np.repeat(np.arange(60), np.random.default_rng(0).integers(1, 6, 60))
    groups = ImageGroups.by(keys)
    first, second = groups.parted(np.random.default_rng(1), 2 / 3, block)
    assert sorted([*first, *second]) == list(range(len(keys)))
    assert not set(keys[first] // block) & set(keys[second] // block)
    assert 2 / 3 <= len(first) / len(keys) <= 2 / 3 + 5 * block / len(keys)


def test_noise_that_comes_in_groups_gets_labels_only_where_nobody_says_so():
    with_groups, without = 0, 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        of = np.repeat(np.arange(60), rng.integers(1, 12, 60))
        activations, scores = (
            rng.normal(size=(60, width))[of] + 0.7 * rng.normal(size=(len(of), width)) for width in (UNITS, CONCEPTS)
        )
        order = rng.permutation(len(of))
        activations, scores, of = activations[order], scores[order], of[order]
        with_groups += np.count_nonzero(labelled(activations, scores, KnownImages(groups=tuple(of))).concept >= 0)
        without += np.count_nonzero(labelled(activations, scores).concept >= 0)
    assert with_groups <= 0.05 * 3 * UNITS
    assert without >= UNITS


DRIFTS = {
    "walk": lambda rng, images: np.cumsum(rng.normal(size=(images, UNITS)), axis=0),
    "waves": lambda rng, images: (
        np.sin(2 * np.pi * (rng.uniform(0.5, 3, UNITS) * np.arange(images)[:, np.newaxis] / images + rng.random(UNITS)))
        + 0.5 * rng.normal(size=(images, UNITS))
    ),
    "trend": lambda rng, images: (
        2 * np.linspace(0, 1, images)[:, np.newaxis] * rng.choice([-1, 1], UNITS)
        + 0.5 * rng.normal(size=(images, UNITS))
    ),
}


@pytest.mark.parametrize("known", [False, True], ids=["classes unknown", "classes known"])
@pytest.mark.parametrize("drift", ["walk", "waves"])
def test_units_that_drift_along_a_list_sorted_by_class_get_no_labels(drift, known):
    rng = np.random.default_rng(1)
    scores = by_class(rng, 20, 400, CONCEPTS) + 0.5 * rng.normal(size=(400, CONCEPTS))
    images = KnownImages(classes=tuple(np.repeat(np.arange(20), 20))) if known else NOTHING
    activations = DRIFTS[drift](rng, 400)
    result = labelled(activations, scores, images)
    assert np.count_nonzero(result.concept >= 0) <= 0.05 * UNITS
    assert "The order of the probing images tells something: " in image_notes([result])[-1]
    free = labelled(activations, scores, KnownImages(groups=tuple(range(400))))
    assert np.count_nonzero(free.concept >= 0) > UNITS / 2, "whoever says that the order means nothing is believed"


@pytest.mark.parametrize("images", [15, 400])
def test_a_trend_leaves_nothing_to_permute_and_the_reason_says_so(images):
    rng = np.random.default_rng(0)
    result = labelled(DRIFTS["trend"](rng, images), rng.normal(size=(images, CONCEPTS)))
    assert result.blocks.tolist() == [images] * UNITS
    assert (result.evidence.p_value == 1).all()
    assert {reason.detail for reason in result.reason} == {
        "nothing can be shown: neighbours in the list of images are alike over so long that fewer than 6 blocks of "
        "them are left to change places"
    }


def waves(rng, images, width):
    """Up to three periods along the list: what is below 0 at one lag comes back at the next."""
    phase = np.linspace(0, 1, images)[:, np.newaxis] * rng.uniform(0.5, 3, width) + rng.random(width)
    return weak(np.sqrt(2) * np.sin(2 * np.pi * phase), 0.5, rng)


def runs(rng, images, width, length, share):
    """Classes one after the other, `length` images each."""
    return weak(by_class(rng, images // length, images, width), share, rng)


def sums(rng, images, width, length):
    white = rng.normal(size=(images + length, width)).cumsum(axis=0)
    return (white[length:] - white[:-length]) / np.sqrt(length)


def slopes(rng, images, width):
    """A correlation of 0.3 with the place in the list: too little for any lag, not for two columns that have it."""
    place = np.sqrt(12) * (np.arange(images) / images - 0.5)
    return weak(place[:, np.newaxis] * rng.choice([-1, 1], width), 0.09, rng)


def autoregressive(rng, images, width, share):
    """Each value is a share of the one before, and noise."""
    columns = rng.normal(size=(images, width))
    for image in range(1, images):
        columns[image] = share * columns[image - 1] + np.sqrt(1 - share**2) * columns[image]
    return columns


ORDERED_NOISE = {
    "waves": lambda rng, width: waves(rng, 120, width),
    "10 classes": lambda rng, width: runs(rng, 120, width, 12, 0.5),
    "40 classes": lambda rng, width: runs(rng, 200, width, 5, 0.5),
    "weak classes": lambda rng, width: runs(rng, 400, width, 10, 0.16),
    "sums": lambda rng, width: sums(rng, 600, width, 10),
    "slopes": lambda rng, width: slopes(rng, 120, width),
    "autoregressive": lambda rng, width: autoregressive(rng, 300, width, 0.5),
}


@pytest.mark.parametrize("kind", ORDERED_NOISE)
def test_at_most_one_layer_of_ordered_noise_in_ten_has_a_label(kind):
    """Nothing is known by any unit: a label should be in one layer of 20, and is in two of ten in 8 % of cases."""
    layers = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        result = labelled(ORDERED_NOISE[kind](rng, UNITS), ORDERED_NOISE[kind](rng, CONCEPTS))
        layers += bool((result.concept >= 0).any())
    assert layers <= 1


@pytest.mark.parametrize("kind", ["40 classes", "weak classes", "sums", "autoregressive"])
def test_units_that_know_something_keep_their_labels_in_an_order_that_leaves_blocks(kind):
    rng = np.random.default_rng(0)
    scores = ORDERED_NOISE[kind](rng, CONCEPTS)
    result = labelled(weak(scores, 0.5, rng), scores)
    assert (result.blocks > 1).all()
    assert np.count_nonzero(result.concept == np.arange(CONCEPTS)) >= 0.9 * CONCEPTS


def test_a_unit_whose_own_drift_is_not_seen_is_permuted_as_the_layer_is():
    rng = np.random.default_rng(0)
    activations = runs(rng, 400, UNITS, 10, 0.16)
    alone = block_lengths(activations, ImageGroups.single(400), drifts=False)
    together = block_lengths(activations, ImageGroups.single(400), drifts=True)
    assert np.mean(alone == 1) > 0.2
    assert 10 <= together.min() <= 30


def test_units_that_know_classes_keep_their_labels_in_a_list_sorted_by_known_classes():
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(20), 20)
    presence = (classes[:, np.newaxis] == np.arange(20)) * 1.0
    activations = presence + rng.normal(0, 0.3, presence.shape)
    result = labelled(activations, presence, KnownImages(classes=tuple(classes)))
    np.testing.assert_array_equal(result.concept, np.arange(20))
    assert not image_notes([result])


def test_drift_within_classes_is_told_from_classes():
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(10), 30)
    step = by_class(rng, 10, 300, UNITS) + rng.normal(size=(300, UNITS))
    slope = step + 3 * np.linspace(-1, 1, 300)[:, np.newaxis]
    groups = ImageGroups.single(300)
    assert not drift_within(step, groups, classes, 0)
    assert drift_within(slope, groups, classes, 0)
    assert drift_within(step, groups, np.arange(300), 0), "a class for each image explains nothing"


def test_autocorrelations_by_loops_and_the_length_of_a_block():
    rng = np.random.default_rng(0)
    column = np.convolve(rng.normal(size=520), np.ones(10), "valid")[:500, np.newaxis]
    centred = column - column.mean()
    centred /= np.linalg.norm(centred)
    expected = [float(centred[lag:, 0] @ centred[:-lag, 0]) for lag in range(1, 8)]
    np.testing.assert_allclose(autocorrelations(centred, 7)[:, 0], expected, atol=1e-12)
    (length,) = block_lengths(column, ImageGroups.single(500), drifts=False)
    assert 3 * 6 <= length <= 3 * 10, "a sum of ten: alike up to nine lags, and below the threshold a little before"
    assert block_lengths(rng.normal(size=(500, 20)), ImageGroups.single(500), drifts=True).tolist() == [1] * 20


def test_units_that_are_all_alike_hardly_ever_seem_to_drift():
    """Three copies of one unit of noise: a layer of one unit, of which squares are lopsided."""
    drifting = 0
    for seed in range(300):
        column = np.random.default_rng(seed).normal(size=(100, 1))
        drifting += drift_within(np.repeat(column, 3, axis=1), ImageGroups.single(100), np.zeros(100, np.int64), seed)
    assert drifting <= 1
    assert not drift_within(np.ones((100, 3)), ImageGroups.single(100), np.zeros(100, np.int64), 0)


def test_two_neighbours_that_a_rare_unit_happens_to_be_active_on_are_no_order():
    activations = np.zeros((150, 300))
    activations[np.random.default_rng(0).integers(0, 149, 300) + np.array([[0], [1]]), np.arange(300)] = 1
    assert (block_lengths(activations, ImageGroups.single(150), drifts=False) == 1).all()
    activations[:, 1:] = np.random.default_rng(1).permutation(activations[:, 1:])
    assert (neighbour_blocks(activations, ImageGroups.single(150), NOTHING, 0) == 1).all()


def test_classes_one_after_the_other_are_as_many_images():
    """Correlations of steps at the same 20 places vary as those of 20 images do, and not of 600: 1 / 20."""
    rng = np.random.default_rng(0)
    activations, scores = by_class(rng, 20, 600, 200), by_class(rng, 20, 600, 200)
    blocks = np.full(200, 60)
    comparison = Comparison.make(SIMILARITIES["pearson"], activations, scores, blocks=blocks)
    widened = widening(comparison, np.arange(200))
    assert 0.75 * 30 <= np.median(widened) <= 1.25 * 30
    correlations = comparison.correlations(activations, np.arange(200))
    assert np.std(correlations) == pytest.approx(np.sqrt(1 / 20), rel=0.2)
    alone = replace(comparison, blocks=np.ones(200, np.int64))
    assert (widening(alone, np.arange(200)) == 1).all()


def test_of_a_thing_and_its_part_that_differ_on_one_image_all_images_choose():
    """In one of three seeds that image is not among those that choose, and index 0 would win."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        whole = rng.random(300) < 0.2
        part = whole.copy()
        part[np.flatnonzero(whole)[0]] = False
        scores = np.column_stack([whole, part, rng.normal(size=300)]).astype(float)
        activations = part[:, np.newaxis] + 0.02 * rng.normal(size=(300, 3))
        result = label_units(activations, scores, model="m", layer="l", similarity="pearson", options=QUICK, seed=seed)
        assert result.concept.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("squares", "length"), [([0.0019], 1), ([0.0021], 3), ([0.5, 0.0039], 3), ([0.5, 0.0041], 6), ([0.5, 1, 0.0081], 9)]
)
def test_squares_above_twice_their_variance_without_correlation_are_of_one_block(squares, length):
    """Of 1000 groups the variance is 0.001 at lag 1, and (1 + 2 · 0.5) · 0.001 after a square of 0.5."""
    padded = np.zeros(500)
    padded[: len(squares)] = squares
    assert _layer_block(padded, np.zeros(500), 0, 1000) == length


@pytest.mark.parametrize(
    ("correlation", "trend", "length"),
    [(0, 0.0099, 6), (0, 0.0101, 1000), (1, 0.0219, 6), (1, 0.0221, 1000), (-1, 0.0101, 1000)],
)
def test_a_trend_beyond_what_drift_within_blocks_makes_is_of_the_whole_list(correlation, trend, length):
    """Two lags are alike: a block is 6 long, and has 5 lags. √(0.1 / 1000) = 0.01, or 2 (1 + 2 · 5) / 1000 = 0.022."""
    squares = np.zeros(500)
    squares[:2] = 1
    assert _layer_block(squares, np.full(500, correlation), trend, 1000) == length
