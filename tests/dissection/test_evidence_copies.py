"""Copies and near copies of images, and clusters that nobody named: found, or at least said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from dissection.noise import CONCEPTS, NOTHING, UNITS, labelled, noise, weak
from lumiscope.dissection import KnownImages
from lumiscope.dissection.evidence.copies import _candidates, _Rows, with_copies
from lumiscope.dissection.evidence.image_clusters import come_in_clusters, nearest_by_chance
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.dissection.notes import image_notes


@pytest.mark.parametrize("error", [0, 0.1, 0.2])
def test_copies_are_found_and_nothing_else(error):
    rng, activations, scores = noise(100)
    four = [np.repeat(matrix, 4, axis=0) for matrix in (activations, scores)]
    copies = [matrix + error * rng.normal(size=matrix.shape) for matrix in four]
    assert with_copies(ImageGroups.single(400), *copies, 0).of.tolist() == np.repeat(np.arange(100), 4).tolist()
    unlike = [matrix + rng.normal(size=matrix.shape) for matrix in four]
    assert len(with_copies(ImageGroups.single(400), *unlike, 0)) == 400, "1 / 2 is a correlation of 0.5"


@pytest.mark.parametrize(("units", "concepts"), [(1, 1), (3, 4), (20, 20)])
def test_images_on_which_little_happens_are_no_copies(units, concepts):
    rng = np.random.default_rng(0)
    activations = (rng.random((300, units)) < 0.05) * rng.normal(size=(300, units))
    presence = (rng.random((300, concepts)) < 0.1) * 1.0
    assert len(with_copies(ImageGroups.single(300), activations, presence, 0)) == 300


@pytest.mark.parametrize("similarity", ["pearson", "cos_cubed", "soft_wpmi"])
@pytest.mark.parametrize("error", [0, 0.1])
def test_noise_on_copies_gets_no_label(error, similarity):
    counts = []
    for seed in range(3):
        rng, *matrices = noise(100, seed)
        activations, scores = (
            np.repeat(matrix, 4, axis=0) + error * rng.normal(size=(400, matrix.shape[1])) for matrix in matrices
        )
        counts.append(np.count_nonzero(labelled(activations, scores, similarity=similarity).concept >= 0))
    assert sum(counts) <= 0.05 * 3 * UNITS


def in_clusters(seed, of, share):
    """Noise on images of which a share is their cluster's, in a shuffled list; `of`: (D,) the cluster of each."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(of))
    return [weak(rng.normal(size=(of.max() + 1, width))[of][order], share, rng) for width in (UNITS, CONCEPTS)]


FOURFOLD = np.tile(np.arange(30), 4)
DOZENS = np.repeat(np.arange(10), 12)


@pytest.mark.parametrize("share", [0.95, 0.98])
def test_noise_on_near_copies_gets_no_label(share):
    """Each image is there four times; two of its copies correlate by `share`."""
    results = [labelled(*in_clusters(seed, FOURFOLD, share)) for seed in range(5)]
    assert sum(bool((result.concept >= 0).any()) for result in results) <= 1
    assert all(len(np.unique(result.groups)) == 30 for result in results)


@pytest.mark.parametrize(("of", "share"), [(FOURFOLD, 0.5), (FOURFOLD, 0.8), (DOZENS, 0.5)])
def test_clusters_of_a_shuffled_list_are_said(of, share):
    results = [labelled(*in_clusters(seed, of, share)) for seed in range(4)]
    for result in results:
        assert result.clustered
        assert "come in clusters, as 1 of 1 layers see them" in image_notes([result])[-1]
    rng = np.random.default_rng(0)
    order = rng.permutation(len(of))
    said = labelled(*in_clusters(0, of, share), KnownImages(groups=tuple(of[order])))
    assert not said.clustered
    assert np.count_nonzero(said.concept >= 0) <= 1


def test_classes_that_are_known_are_no_clusters_beside_them():
    order = np.random.default_rng(0).permutation(len(DOZENS))
    assert not labelled(*in_clusters(0, DOZENS, 0.5), KnownImages(classes=tuple(DOZENS[order]))).clustered


INDEPENDENT = {
    "normal": lambda rng, width: rng.normal(size=(120, width)),
    "correlated": lambda rng, width: rng.normal(size=(120, 8)) @ rng.normal(size=(8, width)),
    "sparse": lambda rng, width: np.maximum(rng.normal(size=(120, width)) - 1, 0),
    "heavy-tailed": lambda rng, width: rng.standard_t(3, (120, width)),
    "few columns": lambda rng, width: (rng.random((120, width // 8)) < 0.1) * 1.0,
}


@pytest.mark.parametrize("kind", INDEPENDENT)
def test_independent_images_are_no_clusters_whatever_their_columns_are(kind):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        matrices = [INDEPENDENT[kind](rng, width) for width in (UNITS, CONCEPTS)]
        assert not come_in_clusters(ImageGroups.single(120), *matrices, NOTHING, 0)


def test_units_that_know_the_concepts_are_no_clusters():
    rng = np.random.default_rng(0)
    presence = (rng.random((150, 40)) < 0.15) * 1.0
    result = labelled(presence + rng.normal(0, 0.4, presence.shape), presence)
    np.testing.assert_array_equal(result.concept, np.arange(40))
    assert not result.clustered


@pytest.mark.parametrize(("images", "pairs", "clustered"), [(20, 3, True), (20, 2, False), (19, 9, False)])
def test_three_in_ten_of_twenty_images_or_more_with_a_near_one_are_clusters(images, pairs, clustered):
    rng = np.random.default_rng(0)
    of = np.arange(images)
    of[1 : 2 * pairs : 2] = of[: 2 * pairs : 2]
    matrices = [rng.normal(size=(images, 200))[of] + 0.5 * rng.normal(size=(images, 200)) for _ in range(2)]
    assert come_in_clusters(ImageGroups.single(images), *matrices, NOTHING, 0) == clustered


def test_the_nearest_of_normal_columns_by_chance_is_a_quantile_of_chi_squared():
    distances = chi2(80).ppf((np.arange(20_000) + 0.5) / 20_000)
    assert nearest_by_chance(distances, 1e-5) == pytest.approx(chi2(80).ppf(1e-5), rel=0.03)


def test_what_units_know_is_told_on_copies_and_said_of_them():
    rng = np.random.default_rng(0)
    presence = (rng.random((150, 30)) < 0.15) * 1.0
    activations = presence + rng.normal(0, 0.4, presence.shape)
    result = labelled(np.repeat(activations, 3, axis=0), np.repeat(presence, 3, axis=0))
    np.testing.assert_array_equal(result.concept, np.arange(30))
    assert result.groups.tolist() == np.repeat(np.arange(150), 3).tolist()
    (note,) = image_notes([result])
    assert note.startswith("The 450 probing images count as 150:")


def test_every_pair_of_copies_is_looked_at_once_and_no_image_with_itself():
    """In blocks of 512 rows: within the first, over its end, and within the last."""
    pairs = [(3, 7), (10, 550), (511, 512), (598, 599)]
    matrix = np.random.default_rng(0).normal(size=(600, 40))
    for first, second in pairs:
        matrix[second] = matrix[first]
    candidates = list(zip(*(places.tolist() for places in _candidates([_Rows(matrix, 0)] * 2)), strict=True))
    assert sorted(candidates) == pairs


@pytest.mark.parametrize("columns", [6, 12])
def test_few_columns_ask_for_images_that_are_nearer_than_any_two_by_chance(columns):
    """Of a hundred lists of 200 images one has a pair so near: a quantile of chi-squared, freedom being the columns."""
    rows = _Rows(np.random.default_rng(0).normal(size=(200, columns)), 0)
    least, most = (chi2.ppf(0.01 / (200 * 200 / 2), freedom) / freedom for freedom in (0.9 * columns, 1.1 * columns))
    assert least < rows.near / rows.median < most < 0.1
    many = _Rows(np.random.default_rng(0).normal(size=(200, 200)), 0)
    assert many.near == pytest.approx(0.1 * many.median)
