"""Maps compared without masks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from scipy.ndimage import gaussian_filter

from lumiscope.agreement._habits import cross_residual_likeness, habits
from lumiscope.agreement.map_likeness import (
    CellMap,
    cell_map,
    cell_means,
    compare_maps_of_other_images,
    partial_likeness,
    rank_likeness,
    segment_likeness,
    top_agreement,
    top_agreement_of_other_images,
)
from lumiscope.agreement.map_pairs import compare_maps, summarise_maps
from lumiscope.agreement.other_images import image_sets
from lumiscope.runs import ImageGroups, disagreement

RNG = np.random.default_rng(0)
FLAT = np.zeros((28, 28))


def random_map() -> np.ndarray:
    return RNG.random((28, 28)).astype(np.float32)


def test_cells_are_means_of_blocks() -> None:
    values = np.arange(28 * 28, dtype=np.float64).reshape(28, 28)
    assert cell_means(values)[0] == np.mean([0, 1, 28, 29])
    assert cell_means(values).shape == (196,)
    assert cell_means(values[:5, :7]).shape == (35,), "no more cells than pixels"
    uneven = cell_means(np.ones((15, 29)))
    np.testing.assert_allclose(uneven, 1)


def test_rank_correlation_is_that_of_scipy() -> None:
    a, b = random_map(), random_map()
    expected = stats.spearmanr(cell_means(a), cell_means(b)).statistic
    assert rank_likeness(cell_map(a, FLAT), cell_map(b, FLAT)) == pytest.approx(expected)
    assert rank_likeness(cell_map(a, FLAT), cell_map(a**3, FLAT)) == pytest.approx(
        stats.spearmanr(cell_means(a), cell_means(a**3)).statistic
    )


def test_what_only_centre_and_edges_explain_leaves_nothing() -> None:
    """Two maps that are the centre and the edges, in different shares, and noise of their own."""
    edges = random_map()
    rows = (np.arange(28) + 0.5) / 28 - 0.5
    centre = np.exp(-(rows[:, None] ** 2 + rows**2) / (2 * 0.25**2))
    left = []
    for _ in range(40):
        a, b = (cell_map((share * centre + edges + 0.5 * random_map()).astype(np.float32), edges) for share in (1, 2))
        assert rank_likeness(a, b) > 0.5
        left.append(partial_likeness(a, b))
    assert abs(np.mean(left)) < 0.12


def test_partial_correlation_is_that_of_residuals() -> None:
    a, b, edges = random_map(), random_map(), random_map()
    rows = (np.arange(14) + 0.5) / 14 - 0.5
    centre = np.exp(-(rows[:, None] ** 2 + rows**2) / (2 * 0.25**2)).ravel()
    x = stats.rankdata(centre) / 98 - 1
    habits = [x**0, x, x**2, x**3]
    for blur in (0, 0.75, 1.5):
        y = stats.rankdata(gaussian_filter(cell_means(edges).reshape(14, 14), blur)) / 98 - 1
        habits += [y, y**2, y**3, x * y, x * y**2, x**2 * y]
    design = np.stack(habits, axis=1)

    def left(values: np.ndarray) -> np.ndarray:
        ranks = stats.rankdata(cell_means(values))
        return ranks - design @ np.linalg.solve(design.T @ design, design.T @ ranks)

    expected = stats.pearsonr(left(a), left(b)).statistic
    assert partial_likeness(cell_map(a, edges), cell_map(b, edges)) == pytest.approx(expected)


def test_segments_are_compared_by_their_means() -> None:
    segments = np.repeat(np.arange(4), 7)[:, None].repeat(28, axis=1)
    a = segments.astype(np.float32)
    b = np.array([0, 2, 1, 3], np.float32)[segments]
    assert segment_likeness(cell_map(a, FLAT, segments), cell_map(b, FLAT, segments)) == pytest.approx(0.8)
    assert math.isnan(segment_likeness(cell_map(a, FLAT), cell_map(b, FLAT)))


def test_the_most_important_cells_are_counted_and_ties_are_shared() -> None:
    """10 % of 196 are 20 cells. With 28 cells of one height each has 20/28, so that the same map shares 20/28."""
    rising = np.arange(196, dtype=np.float32).reshape(14, 14)
    a, turned = cell_map(rising, FLAT), cell_map(rising[::-1, ::-1], FLAT)
    assert top_agreement(a, a, 0.1) == 1
    assert top_agreement(a, turned, 0.1) == 0
    assert top_agreement(a, turned, 1.0) == 1
    two_rows = np.zeros((14, 14), np.float32)
    two_rows[:2] = 1
    tied = cell_map(two_rows, FLAT)
    assert top_agreement(tied, tied, 0.1) == pytest.approx(28 * (20 / 28) ** 2 / 20)


def test_a_constant_map_has_no_likeness() -> None:
    flat, other = cell_map(np.ones((28, 28), np.float32), FLAT), cell_map(random_map(), FLAT)
    assert math.isnan(rank_likeness(flat, other))
    assert math.isnan(partial_likeness(other, flat))
    assert math.isnan(top_agreement(flat, other, 0.1))


def test_maps_of_other_images_are_the_null() -> None:
    """Three images whose maps are the same for both methods, and unlike each other: 1 of 6 pairings is as good."""
    maps = [cell_map(random_map(), FLAT) for _ in range(3)]
    mean, p_value = compare_maps_of_other_images(maps, maps, [0, 1, 2])
    assert p_value == pytest.approx(1 / 6)
    assert mean == pytest.approx(np.mean([partial_likeness(a, b) for a, b in itertools.permutations(maps, 2)]))
    flat = cell_map(np.ones((28, 28), np.float32), FLAT)
    assert all(map(math.isnan, compare_maps_of_other_images([flat], maps[:1], [0])))


def test_of_different_images_the_habits_of_both_are_taken_out() -> None:
    """Against least squares on what centre and edges of either can make; the last two have no edges."""
    edges = [random_map(), random_map(), FLAT, FLAT]
    first, second = ([cell_map(random_map(), of_image) for of_image in edges] for _ in range(2))
    bases = [habits(14, 14, cell_means(of_image).tobytes()) for of_image in edges]

    def left(maps: CellMap, i: int, j: int) -> np.ndarray:
        design = np.concatenate([bases[i], bases[j]], axis=1)
        return maps.ranks - design @ np.linalg.lstsq(design, maps.ranks, rcond=1e-9)[0]

    expected = [
        [stats.pearsonr(left(first[i], i, j), left(second[j], i, j)).statistic for j in range(4)] for i in range(4)
    ]
    residuals = [np.stack([of_image.residuals for of_image in maps]) for maps in (first, second)]
    likeness = cross_residual_likeness(*residuals, (14, 14), tuple(of_image.edges.tobytes() for of_image in first))
    assert likeness == pytest.approx(np.array(expected), abs=1e-7)
    assert np.diag(likeness) == pytest.approx([partial_likeness(a, b) for a, b in zip(first, second, strict=True)])


def test_methods_that_always_show_the_same_do_not_agree_by_losing_the_same_edges() -> None:
    """Each of two methods shows its blob off the centre whatever the picture: in 40 studies 2 are below 0.05.

    More than 7 have a probability below 0.005. With each image's own edges taken out of its maps alone all 40 were.
    """
    rows, columns = np.mgrid[:28, :28]
    blob = np.exp(-((rows - 8) ** 2 + (columns - 18) ** 2) / 60)
    below = 0
    for _ in range(40):
        pairs = [
            [cell_map((blob + random_map()).astype(np.float32), e) for _ in "ab"] for e in RNG.random((30, 28, 28))
        ]
        first, second = zip(*pairs, strict=True)
        below += compare_maps_of_other_images(first, second, range(30))[1] <= 0.05
    assert below <= 7


def test_ties_share_their_rank_and_an_unknown_number_leaves_none() -> None:
    values = np.repeat(np.random.default_rng(0).integers(0, 9, (14, 14)), 2, axis=0).repeat(2, axis=1)
    shown = values.astype(np.float32)
    ranks = stats.rankdata(cell_means(shown))
    expected = (ranks - ranks.mean()) / np.linalg.norm(ranks - ranks.mean())
    assert cell_map(shown, FLAT).ranks == pytest.approx(expected)
    shown[0, 0] = np.nan
    unknown = cell_map(shown, FLAT)
    assert unknown.ranks is unknown.residuals is unknown.top(0.1) is None


def test_top_cells_of_other_images_are_beside_those_of_the_same() -> None:
    """The 49 cells of the upper left quarter, the upper right and again the upper left: 49 are 25 % of 196.

    Of six pairs of different images two share all of them and four none: a third. Where each of two methods always
    draws the same centred blob, different images share as much as the same do, however small a share is asked for.
    """
    quarters = []
    for columns in (slice(0, 7), slice(7, 14), slice(0, 7)):
        values = np.zeros((14, 14), np.float32)
        values[:7, columns] = 1
        quarters.append(cell_map(values, FLAT))
    assert [top_agreement(a, a, 0.25) for a in quarters] == [1, 1, 1]
    assert top_agreement_of_other_images(quarters, quarters, 0.25, range(3)) == pytest.approx(1 / 3)
    rows, columns = np.mgrid[-6.5:7, -6.5:7]
    centred = [cell_map(np.exp(-(rows**2 + columns**2) / 40).astype(np.float32), FLAT)] * 4
    assert top_agreement_of_other_images(centred, centred, 0.05, range(4)) == pytest.approx(
        top_agreement(*centred[:2], 0.05)
    )


def test_top_cells_of_a_single_image_have_no_others() -> None:
    varying, flat = cell_map(random_map(), FLAT), cell_map(np.ones((28, 28), np.float32), FLAT)
    assert math.isnan(top_agreement_of_other_images([varying], [varying], 0.1, [0]))
    assert math.isnan(top_agreement_of_other_images([varying, flat], [varying, varying], 0.1, [0, 1]))
    assert math.isnan(top_agreement_of_other_images([flat], [flat], 0.1, [0]))


def test_the_summary_has_the_curve_of_other_images() -> None:
    """Two methods of the same maps on three images: the same images share all, different ones what is counted here."""
    maps = [cell_map(random_map(), FLAT) for _ in range(3)]
    images = {str(number): {"a": kept, "b": kept} for number, kept in enumerate(maps)}
    rows = [row for image, kept in images.items() for row in compare_maps("m", image, kept)]
    (summary,) = summarise_maps(rows, images)
    for name, share in (("top_5", 0.05), ("top_50", 0.5)):
        assert getattr(summary, name) == 1
        others = [top_agreement(a, b, share) for a in maps for b in maps if a is not b]
        assert getattr(summary, f"{name}_other_images") == pytest.approx(np.mean(others))


def test_the_seed_parts_more_images_than_are_compared_with_one_another() -> None:
    """65 images are 33 and 32: each map is compared with those of the other images of its part, by either measure."""
    images = {str(number): {name: cell_map(random_map(), FLAT) for name in "ab"} for number in range(65)}
    rows = [row for image, maps in images.items() for row in compare_maps("m", image, maps)]
    for seed in (0, 4):
        pairs = [
            (images[first]["a"], images[second]["b"])
            for part in image_sets([*images], range(65), seed)
            for first, second in itertools.permutations(part, 2)
        ]
        assert len(pairs) == 33 * 32 + 32 * 31
        (summary,) = summarise_maps(rows, images, seed=seed)
        assert summary.other_images == pytest.approx(np.mean([rank_likeness(a, b) for a, b in pairs]))
        assert summary.partial_other_images == pytest.approx(np.mean([partial_likeness(a, b) for a, b in pairs]))
        for name, share in (("top_5_other_images", 0.05), ("top_50_other_images", 0.5)):
            assert getattr(summary, name) == pytest.approx(np.mean([top_agreement(a, b, share) for a, b in pairs]))


def test_images_of_one_class_are_compared_with_one_another_by_every_measure() -> None:
    """66 images of two classes of 33 are two sets, each of one class, in which all maps are the same."""
    kinds = [cell_map(random_map(), FLAT) for _ in range(2)]
    images = {str(number): {"a": kinds[number % 2], "b": kinds[number % 2]} for number in range(66)}
    rows = [row for image, maps in images.items() for row in compare_maps("m", image, maps)]
    groups = ImageGroups({str(number): "ab"[number % 2] for number in range(66)})
    (summary,) = summarise_maps(rows, images, groups=groups)
    assert (summary.top_5_other_images, summary.top_50_other_images) == pytest.approx((1, 1))
    assert summary.other_images == summary.partial_other_images == pytest.approx(1)


def test_disagreement_is_largest_where_one_is_first_and_the_other_last() -> None:
    rising = np.arange(16, dtype=np.float32).reshape(4, 4)
    shown = disagreement({"a": rising, "b": rising[::-1, ::-1].copy()})
    assert shown[0, 0] == pytest.approx(15 / 16)
    assert shown[1, 3] == pytest.approx(1 / 16)
    assert disagreement({"a": rising, "b": rising}).max() == 0
