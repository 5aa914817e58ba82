"""The audit: places that draw weight whatever the pictures show, and none where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.trust import attractor, cell_shares, map_clusters, place_of
from lumiscope.trust.audit import CELLS


def blobs(count: int, seed: int, corner: float = 0.0) -> np.ndarray:
    """Maps of things that lie anywhere; `corner`: share of their weight that lies in the upper left corner."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:56, :56]
    maps = []
    for row, column in rng.uniform(8, 48, (count, 2)):
        blob = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 100)
        mark = (rows < 8) & (columns < 8)
        maps.append(cell_shares((1 - corner) * blob / blob.sum() + corner * mark / mark.sum()))
    return np.stack(maps)


def test_shares_of_cells_by_hand():
    values = np.zeros((28, 28))
    values[0, 0], values[0, 1], values[27, 27], values[3, 3] = 1, 2, 5, -7
    shares = cell_shares(values)
    assert shares.shape == (CELLS, CELLS)
    assert (shares[0, 0], shares[-1, -1], shares[1, 1]) == pytest.approx((3 / 8, 5 / 8, 0))
    assert not cell_shares(-np.ones((28, 28))).any()


def test_a_mark_in_the_corner_is_found_with_a_dozen_images():
    found = attractor(blobs(12, 0, corner=0.3))
    assert found.place == "upper left corner"
    assert found.p_value <= 0.005
    assert found.weight == pytest.approx(0.3, abs=0.06)
    assert found.mirrored < 0.06
    assert found.region[:2, :2].all()
    assert found.area < 0.1


def test_one_cell_in_many_is_found_though_its_neighbours_are_even():
    """Nine times the weight of its mirror image in one cell: its neighbours, which are averaged with it, have none."""
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.5, 1.5, (40, CELLS, CELLS))
    shares[:, 5, 2] += 8
    found = attractor(shares / shares.sum(axis=(1, 2), keepdims=True))
    assert found.region.sum() == 1
    assert found.region[5, 2]
    assert found.p_value <= 0.001


def test_the_region_is_what_is_half_as_far_above_its_mirror_image_as_the_best():
    shares = np.random.default_rng(0).uniform(0.99, 1.01, (40, CELLS, CELLS))
    shares[:, 5, 1:5] += [4, 10, 6, 4]
    region = attractor(shares / shares.sum(axis=(1, 2), keepdims=True)).region
    assert np.argwhere(region).tolist() == [[5, 2], [5, 3]]


@pytest.mark.parametrize(("times", "shown"), [(1.9, False), (2.1, True)])
def test_a_place_must_have_twice_the_weight_of_its_mirror_image(times, shown):
    shares = np.random.default_rng(0).uniform(0.99, 1.01, (40, CELLS, CELLS))
    shares[:, 5, 2] *= times
    p_value = attractor(shares / shares.sum(axis=(1, 2), keepdims=True)).p_value
    assert p_value < 0.001 if shown else p_value > 0.999


@pytest.mark.parametrize(("correlation", "clusters"), [(0.51, [0, 0]), (0.49, [0, 1])])
def test_maps_that_correlate_by_half_are_at_one_place(correlation, clusters):
    random = np.random.default_rng(0).normal(size=(CELLS**2, 2))
    _, first, other = np.linalg.qr(np.column_stack([np.ones(CELLS**2), random]))[0].T
    second = correlation * first + np.sqrt(1 - correlation**2) * other
    maps = np.stack([first, second]).reshape(2, CELLS, CELLS)
    assert map_clusters(maps)[0].tolist() == clusters


@pytest.mark.parametrize("images", [12, 60])
def test_things_that_lie_anywhere_raise_at_most_one_alarm_in_twenty(images):
    alarms = sum(attractor(blobs(images, seed), seed).p_value <= 0.05 for seed in range(100))
    assert alarms <= 5


def test_networks_that_move_maps_a_little_to_one_side_raise_none():
    shares = blobs(400, 1)
    moved = 0.85 * shares + 0.15 * np.roll(shares, 1, axis=2)
    assert attractor(moved).p_value > 0.5


def test_a_copy_of_every_picture_adds_nothing_where_it_belongs_to_it():
    pictures = blobs(12, 0, corner=0.3)
    twice, pairs = np.repeat(pictures, 2, axis=0), np.repeat(np.arange(12), 2).tolist()
    alone, grouped = attractor(pictures), attractor(twice, groups=pairs)
    assert grouped.p_value == pytest.approx(alone.p_value, rel=1e-9)
    assert (grouped.region == alone.region).all()
    assert attractor(twice).p_value < alone.p_value


def test_classes_that_lie_at_one_place_each_raise_no_alarm_together():
    """Twelve classes of eight pictures alike: 3 alarms of 60 are expected by classes; by pictures it were 24."""
    alarms = np.zeros(2, int)
    for seed in range(60):
        maps, classes = np.repeat(blobs(12, seed), 8, axis=0), np.repeat(np.arange(12), 8).tolist()
        alarms += [attractor(maps, seed, groups).p_value <= 0.05 for groups in (classes, None)]
    assert alarms[0] <= 7, "more have a probability of 0.01"
    assert alarms[1] > 15


def test_fewer_than_six_images_show_nothing():
    assert attractor(blobs(5, 0, corner=0.5)) is None


def test_clusters_are_maps_at_the_same_place_with_the_most_typical_one():
    corner, elsewhere = blobs(5, 0, corner=0.9), np.stack([np.roll(blobs(1, 3)[0], 3 * k, axis=0) for k in range(2)])
    numbers, medoids = map_clusters(np.concatenate([corner, elsewhere]))
    assert numbers[:5].tolist() == [0] * 5
    assert (numbers[5:] > 0).all()
    assert medoids[0] < 5
    assert map_clusters(corner[:1])[0].tolist() == [0]
    for other, clusters, medoids in ((np.roll(corner[0], 7), [0, 1], [0, 1]), (2 * corner[0], [0, 0], [0])):
        two = map_clusters(np.stack([corner[0], other]))
        assert [numbers.tolist() for numbers in two] == [clusters, medoids]


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (0, 0, "upper left corner"),
        (13, 13, "lower right corner"),
        (6, 0, "left side"),
        (0, 6, "upper middle"),
        (6, 6, "middle"),
    ],
)
def test_places_in_words(row, column, words):
    region = np.zeros((CELLS, CELLS), bool)
    region[row, column] = True
    assert place_of(region) == words
