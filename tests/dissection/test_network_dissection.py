from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.dissection.network_dissection import (
    category_rows,
    detector_rows,
    name_detectors,
    network_dissection_rows,
)
from lumiscope.dissection.overlaps import LabelledView, Overlaps, OverlapStream, fired_masks
from lumiscope.dissection.thresholds import Thresholds, ThresholdStream
from lumiscope.runs import Reason
from lumiscope.statistics import benjamini_hochberg

NUMBERS = {"object": {1: 0, 7: 1}, "colour": {1: 2, 2: 3, 3: 4}}
WORDS, KINDS = ("fish", "boat", "red", "green", "blue"), ("object", "object", "colour", "colour", "colour")
CATEGORIES = np.array([0, 0, 1, 1, 1])
SIZE = (12, 20)


def upsampled(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One map, bilinear between half-pixel centres, one pixel at a time."""
    large = np.empty(size)
    for row in range(size[0]):
        for column in range(size[1]):
            y = np.clip((row + 0.5) * values.shape[0] / size[0] - 0.5, 0, values.shape[0] - 1)
            x = np.clip((column + 0.5) * values.shape[1] / size[1] - 0.5, 0, values.shape[1] - 1)
            top, left = int(y), int(x)
            down, across = min(top + 1, values.shape[0] - 1), min(left + 1, values.shape[1] - 1)
            first = values[top, left] * (1 - (x - left)) + values[top, across] * (x - left)
            second = values[down, left] * (1 - (x - left)) + values[down, across] * (x - left)
            large[row, column] = first * (1 - (y - top)) + second * (y - top)
    return large


def reference_iou(maps: np.ndarray, label_maps: list[dict[str, np.ndarray]], thresholds: np.ndarray) -> np.ndarray:
    """Dataset-wide IoU in plain loops over units, concepts and images."""
    iou = np.full((maps.shape[1], len(WORDS)), np.nan)
    for unit in range(maps.shape[1]):
        fires = [upsampled(maps[image, unit].astype(float), SIZE) > thresholds[unit] for image in range(len(maps))]
        for kind, numbers in NUMBERS.items():
            for number, concept in numbers.items():
                common = union = 0
                for image, labels in enumerate(label_maps):
                    if kind in labels:
                        common += (fires[image] & (labels[kind] == number)).sum()
                        union += (fires[image] | (labels[kind] == number)).sum()
                iou[unit, concept] = common / union
    return iou


@pytest.fixture(scope="module")
def probe():
    """Random maps of 9 units and label maps of 24 images; every third image has no colours, two have no objects."""
    generator = np.random.default_rng(0)
    maps = generator.normal(size=(24, 9, 3, 5)).astype(np.float32)
    labels = []
    for image in range(24):
        label_maps = {
            "object": np.kron(generator.choice([0, 1, 7], (3, 5)), np.ones((4, 4), int)).astype(np.uint8),
            "colour": np.kron(generator.choice([0, 1, 2, 3], (3, 5)), np.ones((4, 4), int)).astype(np.uint8),
        }
        labels.append(
            {k: v for k, v in label_maps.items() if (image % 3 or k != "colour") and (image % 13 or k != "object")}
        )
    return maps, labels


def counted(maps: np.ndarray, labels, quantile: float = 0.1, shifts: int = 0) -> tuple[Thresholds, Overlaps]:
    stream = ThresholdStream(maps.shape[1], len(maps), maps[0, 0].size, quantile=quantile)
    stream.add(torch.from_numpy(maps))
    thresholds = stream.thresholds()
    overlaps = OverlapStream(thresholds, CATEGORIES, 2, shifts)
    views = [LabelledView.of(label_maps, NUMBERS, SIZE) for label_maps in labels]
    for place, values in enumerate(maps):
        others = [views[place - shift] for shift in range(1, shifts + 1)]
        overlaps.add(torch.from_numpy(values), views[place], others)
    return thresholds, overlaps.overlaps()


def dissected(maps: np.ndarray, labels, shifts: int = 0, **options):
    thresholds, overlaps = counted(maps, labels, shifts=shifts)
    return name_detectors(thresholds, overlaps, model="m", layer="l", words=WORDS, categories=KINDS, **options)


def test_thresholds_and_iou_equal_plain_loops(probe) -> None:
    maps, labels = probe
    thresholds, overlaps = counted(maps, labels)
    flat = maps.astype(float).transpose(1, 0, 2, 3).reshape(9, -1)
    expected = np.quantile(flat, 0.9, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(thresholds.values, expected)
    np.testing.assert_allclose(overlaps.iou, reference_iou(maps, labels, expected), rtol=0, atol=1e-12)
    dissection = dissected(maps, labels)
    np.testing.assert_array_equal(dissection.concept, overlaps.iou.argmax(1))


def test_pairings_are_the_iou_with_the_annotations_of_other_images(probe) -> None:
    maps, labels = probe
    thresholds, overlaps = counted(maps, labels, shifts=2)
    for shift in (1, 2):
        expected = reference_iou(maps, [labels[place - shift] for place in range(24)], thresholds.values).max(1)
        np.testing.assert_allclose(overlaps.chance[shift - 1], expected, rtol=0, atol=1e-12)


def test_order_of_images_does_not_matter(probe) -> None:
    maps, labels = probe
    _, first = counted(maps, labels)
    _, other = counted(maps[::-1].copy(), labels[::-1])
    np.testing.assert_array_equal(first.intersections, other.intersections)
    np.testing.assert_array_equal(first.unit_pixels, other.unit_pixels)


def test_a_unit_that_shows_where_a_concept_is_gets_its_name() -> None:
    generator = np.random.default_rng(1)
    rows, columns = np.indices((48, 48))
    labels = []
    for number in generator.choice([1, 7], 30):
        centre, radius = generator.uniform(12, 36, 2), generator.uniform(8, 12)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        labels.append({"object": disc * number, "colour": generator.integers(0, 4, (48, 48))})
    boats = np.stack([label_maps["object"] == 7 for label_maps in labels])
    small = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(boats).float()[:, None], (12, 12)).numpy()
    maps = np.concatenate([small, generator.normal(size=small.shape).astype(np.float32)], axis=1)
    stream = ThresholdStream(2, 30, 144, quantile=float(boats.mean()))
    stream.add(torch.from_numpy(maps))
    overlaps = OverlapStream(stream.thresholds(), CATEGORIES, 2)
    for label_maps, values in zip(labels, maps, strict=True):
        overlaps.add(torch.from_numpy(values), LabelledView.of(label_maps, NUMBERS, (48, 48)))
    dissection = name_detectors(
        stream.thresholds(), overlaps.overlaps(), model="m", layer="l", words=WORDS, categories=KINDS
    )
    assert WORDS[dissection.concept[0]] == "boat"
    assert dissection.best_iou[0] > 0.9, "a quarter of the resolution blurs no more than the rim of a disc"
    assert dissection.best_iou[1] < 0.2
    assert dissection.best_of("colour")[1][0] < 0.1


def test_upsampling_is_that_of_plain_loops_and_of_units_that_fire_only() -> None:
    maps = np.random.default_rng(2).normal(size=(6, 4, 3)).astype(np.float32)
    thresholds = torch.tensor([0.3, 9.0, -0.5, torch.inf, 1.0, 0.0])
    (block,) = fired_masks(torch.from_numpy(maps), thresholds, (9, 11))
    fires = [unit for unit in range(6) if maps[unit].max() > thresholds[unit]]
    assert block.units.tolist() == fires
    for unit, mask in zip(fires, block.masks, strict=True):
        np.testing.assert_array_equal(mask, upsampled(maps[unit].astype(float), (9, 11)) > thresholds[unit].item())


def test_labelled_views_give_back_masks_and_areas(probe) -> None:
    _, labels = probe
    for label_maps in labels:
        view = LabelledView.of(label_maps, NUMBERS, SIZE)
        expected = {
            NUMBERS[kind][n]: label_maps[kind] == n
            for kind in label_maps
            for n in NUMBERS[kind]
            if (label_maps[kind] == n).any()
        }
        assert sorted(view.present.tolist()) == sorted(expected)
        for concept, mask, area in zip(view.present.tolist(), view.masks, view.areas, strict=True):
            np.testing.assert_array_equal(mask, expected[concept])
            assert area == expected[concept].sum()
        assert view.annotated.tolist() == ["object" in label_maps, "colour" in label_maps]


def test_units_left_out_have_a_reason_and_no_numbers(probe) -> None:
    maps, labels = probe
    maps = maps.copy()
    maps[3, 0, 1, 1] = np.nan
    maps[:, 1] = 0
    dissection = dissected(maps, labels, shifts=3)
    assert dissection.concept[:2].tolist() == [-1, -1]
    assert np.isnan(dissection.best_iou[:2]).all()
    assert np.isnan(dissection.p_value[:2]).all()
    rows = network_dissection_rows([dissection])
    assert [row.reason for row in rows[:3]] == [Reason.NOT_FINITE, Reason.DEAD, None]
    assert (rows[0].concept, rows[0].threshold, rows[0].detector) == (None, None, False)
    assert np.isfinite(dissection.p_value[2:]).all()


def test_a_unit_that_overlaps_with_nothing_has_no_concept() -> None:
    thresholds = Thresholds(np.ones(2), (None, None), 0.1, 10, 10)
    common = np.array([[0, 0, 0, 0, 0], [0, 3, 0, 0, 0]])
    overlaps = Overlaps(common, np.full((2, 2), 6), np.array([4, 4, 0, 4, 4]), CATEGORIES, np.zeros((0, 2)))
    dissection = name_detectors(thresholds, overlaps, model="m", layer="l", words=WORDS, categories=KINDS)
    assert dissection.concept.tolist() == [-1, 1]
    assert dissection.best_iou.tolist() == [0, 3 / 7]
    assert np.isnan(dissection.p_value).all()
    assert [row.concept for row in category_rows([dissection])] == ["boat"]


def test_p_values_of_units_without_meaning_are_uniform_and_adjusted() -> None:
    generator = np.random.default_rng(3)
    maps = generator.normal(size=(40, 150, 3, 5)).astype(np.float32)
    labels = [{"object": np.kron(generator.choice([0, 1, 7], (3, 5)), np.ones((4, 4), int))} for _ in range(40)]
    dissection = dissected(maps, labels, shifts=10)
    for level in (0.05, 0.2, 0.5):
        # Standard error of a share of 150 units, and of the 1,500 values that make the chance level.
        assert (dissection.p_value <= level).mean() == pytest.approx(level, abs=4 * (level * (1 - level) / 150) ** 0.5)
    np.testing.assert_array_equal(dissection.q_value, benjamini_hochberg(dissection.p_value))
    assert (dissection.q_value <= 0.05).sum() <= 1
    assert dissection.detector.mean() > 0.5, "noise on large objects: 0.04 is no test of significance"


def test_tables_count_detectors_and_their_concepts(probe) -> None:
    maps, labels = probe
    best = dissected(maps, labels).iou.max(1)
    least = float(np.sort(best)[3])
    dissection = dissected(maps, labels, least_iou=least)
    expected = [int(concept) for concept in dissection.iou.argmax(1)[best >= least]]
    assert len(expected) == 6
    rows = {row.category: row for row in detector_rows([dissection])}
    assert list(rows) == ["object", "colour", None]
    assert rows[None].detectors == len(expected)
    assert rows[None].unique_detectors == len(set(expected)) == len(dissection.unique_detectors)
    assert rows["object"].unique_detectors == len({c for c in expected if c < 2})
    by_category = category_rows([dissection])
    assert len(by_category) == 18
    for row in by_category:
        inside = slice(0, 2) if row.category == "object" else slice(2, 5)
        assert row.iou == dissection.iou[row.unit, inside].max()
        assert WORDS.index(row.concept) == dissection.iou[row.unit, inside].argmax() + inside.start
