"""Masks of one image beside masks of different images: what two methods share because of the picture."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from lumiscope.agreement import GROUND_TRUTH, compare_other_images, overlap, overlap_with_truth
from lumiscope.agreement import other_images as module
from lumiscope.agreement.other_images import cross_iou
from lumiscope.runs import VOID, ImageGroups
from lumiscope.statistics import pairing_test
from lumiscope.types import BoolArray, DoubleArray

SIDE = 32


def disc(rng: np.random.Generator, spread: float = 4.0) -> BoolArray:
    """A coherent mask near the centre, as those of real maps."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    row, column = SIDE / 2 + spread * rng.normal(size=2)
    return (rows - row) ** 2 + (columns - column) ** 2 < rng.uniform(5, 11) ** 2


def study(seed: int, images: int, *, related: bool) -> dict[str, dict[str, BoolArray]]:
    """Masks of two methods; related ones mark about the same place of each image, from different seeds."""
    rng = np.random.default_rng(seed)
    masks: dict[str, dict[str, BoolArray]] = {}
    for number in range(images):
        first = disc(rng)
        second = np.roll(first, rng.integers(-3, 4, 2), (0, 1)) if related else disc(rng)
        masks[str(number)] = {"a": first, "b": second}
    return masks


def test_every_mask_with_every_other_as_by_hand() -> None:
    rng = np.random.default_rng(0)
    masks_a, masks_b = ([disc(rng) for _ in range(4)] for _ in range(2))
    masks_a.append(np.zeros((SIDE, SIDE), np.bool_))
    masks_b.append(np.zeros((SIDE, SIDE), np.bool_))
    expected = [[overlap(a, b).iou for b in masks_b] for a in masks_a]
    assert math.isnan(expected[-1][-1])
    expected[-1][-1] = 0.0
    np.testing.assert_allclose(cross_iou(masks_a, masks_b), expected, atol=1e-12)


def test_means_of_different_images_by_hand() -> None:
    masks = study(1, 5, related=True)
    masks["4"]["a"] = masks["4"]["b"] = np.zeros((SIDE, SIDE), np.bool_)  # nothing to compare there
    masks["none of b"] = {"a": masks["0"]["a"]}
    (pair,) = compare_other_images(masks)
    assert (pair.method_a, pair.method_b) == ("a", "b")
    names = ["0", "1", "2", "3"]
    iou = {(i, j): overlap(masks[i]["a"], masks[j]["b"]).iou for i in names for j in names}
    assert pair.iou == pytest.approx(np.mean([iou[i, j] for i, j in itertools.permutations(names, 2)]))
    assert list(pair.by_image) == names
    for name in names:
        others = [value for (i, j), value in iou.items() if (i == name) != (j == name)]
        assert pair.by_image[name] == pytest.approx(np.mean(others))
    sums = [sum(iou[i, j] for i, j in zip(names, order, strict=True)) for order in itertools.permutations(names)]
    assert pair.p_value == pytest.approx(np.mean(np.array(sums) >= sums[0] - 1e-12))


def test_with_the_true_masks_what_they_leave_open_does_not_count() -> None:
    masks = study(2, 4, related=True)
    truths = {
        name: {
            "a": pair["a"],
            GROUND_TRUTH: pair["b"] & ~disc(np.random.default_rng(9)),
            VOID: disc(np.random.default_rng(9)),
        }
        for name, pair in masks.items()
    }
    truths["3"][GROUND_TRUTH] = np.zeros((SIDE, SIDE), np.bool_)  # outside the view: no mask could overlap it
    (pair,) = compare_other_images(truths)
    names = ["0", "1", "2"]
    iou = {
        (i, j): overlap_with_truth(truths[i]["a"], truths[j][GROUND_TRUTH], truths[j][VOID]).iou
        for i, j in itertools.product(names, names)
    }
    assert list(pair.by_image) == names
    assert pair.iou == pytest.approx(np.mean([iou[i, j] for i, j in itertools.permutations(names, 2)]))


def test_the_true_masks_come_last_and_what_they_leave_open_is_theirs_alone() -> None:
    masks = study(5, 4, related=True)
    truths = {
        name: {GROUND_TRUTH: pair["b"], VOID: disc(np.random.default_rng(9)), **pair} for name, pair in masks.items()
    }
    pairs = compare_other_images(truths)
    assert [(pair.method_a, pair.method_b) for pair in pairs] == [("a", "b"), ("a", GROUND_TRUTH), ("b", GROUND_TRUTH)]
    assert pairs[0] == compare_other_images(masks)[0]
    assert pairs[1].iou != pairs[0].iou


def test_what_is_open_on_some_images_counts_on_the_others_and_one_pixel_is_enough() -> None:
    left, both, right = (np.array([pixels], np.bool_) for pixels in ([1, 0], [1, 1], [0, 1]))
    assert cross_iou([left, both], [left, right]).tolist() == [[1, 0], [0.5, 0.5]]
    assert cross_iou([left, both], [left, right], [right, None]).tolist() == [[1, 0], [1, 0.5]]
    assert cross_iou([left, both], [left, right], [None, None]).tolist() == [[1, 0], [0.5, 0.5]]


@pytest.mark.parametrize("places", [(0, 1), (1, 0)])
def test_a_mask_beside_an_empty_one_overlaps_with_nothing(places: tuple[int, int]) -> None:
    """Which of both methods marks nothing is all the same."""
    empty, left, right = np.zeros((2, 2), np.bool_), np.array([[1, 0]] * 2, np.bool_), np.array([[0, 1]] * 2, np.bool_)
    masks = {"x": (left, left), "y": (empty, left), "z": (left, right)}
    (pair,) = compare_other_images({name: {"a": of[places[0]], "b": of[places[1]]} for name, of in masks.items()})
    # Rows of the first, columns of the second: left with left 1, with right 0; the empty one with any 0.
    assert pair.iou == pytest.approx((1 + 0 + 0 + 0 + 1 + 1) / 6)
    assert pair.by_image == pytest.approx(
        {"x": (1 + 0 + 0 + 1) / 4, "y": (0 + 0 + 1 + 1) / 4, "z": (1 + 1 + 0 + 0) / 4}
    )
    assert pair.p_value == 1, "the trace, 1, is the least of all sums"


def test_one_image_has_no_others() -> None:
    (pair,) = compare_other_images(study(0, 1, related=True))
    assert math.isnan(pair.iou)
    assert math.isnan(pair.by_image["0"])
    assert pair.p_value == 1
    assert compare_other_images({}) == []


@pytest.mark.parametrize("images", [12, 100])
def test_unrelated_coherent_masks_are_not_above_chance(images: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By areas alone they are in almost every study: IoU is convex, and masks like the centre."""
    count, fewer = 100, 299
    monkeypatch.setattr(module, "pairing_test", lambda matrices, groups, seed: _few(matrices, fewer, seed))
    p_values, above_areas = [], 0
    for seed in range(count):
        masks = study(seed, images, related=False)
        (pair,) = compare_other_images(masks, seed=seed)
        p_values.append(pair.p_value)
        overlaps = [overlap(image["a"], image["b"]) for image in masks.values()]
        above_areas += sum(pair_overlap.iou - pair_overlap.chance for pair_overlap in overlaps) > 0
    # 5 of 100 on average; more than 12 with a probability of 0.001
    assert sum(p <= 0.05 for p in p_values) <= 12
    assert above_areas > 90


@pytest.mark.parametrize("images", [6, 12, 100])
def test_masks_of_the_same_pictures_are(images: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pairing_test", lambda matrices, groups, seed: _few(matrices, 299, seed))
    p_values = [compare_other_images(study(seed, images, related=True))[0].p_value for seed in range(30)]
    assert sum(p <= 0.05 for p in p_values) >= 24, "a power of 80 %"


def test_of_many_images_sets_are_compared_and_all_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 5)
    masks = study(3, 12, related=True)
    (pair,) = compare_other_images(masks, seed=1)
    assert list(pair.by_image) == list(masks)
    assert pair.p_value < 0.01
    assert compare_other_images(masks, seed=1) == [pair]
    assert compare_other_images(masks, seed=2)[0].by_image != pair.by_image


@pytest.mark.parametrize(
    ("images", "sizes"), [(0, []), (1, [1]), (5, [5]), (6, [3, 3]), (11, [4, 4, 3]), (12, [4] * 3)]
)
def test_sets_are_as_few_as_may_be_and_equally_large(
    images: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 5)
    names = [str(number) for number in range(images)]
    sets = list(module.image_sets(names, names, seed=3))
    assert [len(some) for some in sets] == sizes
    assert sorted(itertools.chain(*sets)) == sorted(names)
    assert (sets == list(module.image_sets(names, names, seed=4))) == (images <= 5)
    assert sets == [names] or images != 5, "those that can all be compared stay as they are"


def test_images_of_a_group_are_in_one_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 6)
    names, labels = list(range(24)), [number % 8 for number in range(24)]
    sets = list(module.image_sets(names, labels, seed=1))
    assert [len(some) for some in sets] == [6] * 4
    assert all(len({labels[name] for name in some}) == 2 for some in sets)


def test_where_classes_have_places_of_their_own_unrelated_masks_are_not_above_chance() -> None:
    """10 classes of 6, each method with a place for each class: image by image 18 of 100 studies would be."""
    related = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        centres = rng.uniform(6, 26, (2, 10, 2))
        masks = {
            f"{image}": {
                method: disc_at(centres[side, image // 6] + rng.normal(0, 1.5, 2)) for side, method in enumerate("ab")
            }
            for image in range(60)
        }
        groups = ImageGroups({name: f"{int(name) // 6}" for name in masks})
        related += compare_other_images(masks, groups=groups, seed=seed)[0].p_value <= 0.05
    assert related <= 8, "3 of 60 on average, and more than 8 with a probability of 0.003"


def disc_at(centre: DoubleArray) -> BoolArray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.asarray(np.hypot(rows - centre[0], columns - centre[1]) < 6)


def test_the_p_value_is_that_of_the_masks_and_of_the_seed() -> None:
    masks = study(7, 9, related=False)
    matrix = cross_iou([pair["a"] for pair in masks.values()], [pair["b"] for pair in masks.values()])
    p_values = [compare_other_images(masks, seed=seed)[0].p_value for seed in range(3)]
    assert p_values == [pairing_test([matrix], seed=seed)[1] for seed in range(3)]
    assert len(set(p_values)) > 1


def _few(matrices, permutations, seed):
    return pairing_test(matrices, permutations=permutations, seed=seed)
