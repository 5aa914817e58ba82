"""What is said of two models: whether they look at the same places, and at regions of what extent."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import pytest

from lumiscope.runs import FindingRow, ImageRow, MapShapeRow, MethodDifferenceRow, ModelAgreementRow, Outcome
from lumiscope.study.findings import find
from lumiscope.study.stage import Tables
from lumiscope.testing import fake_row

Extents = Mapping[str, Sequence[float]]
"""Method -> the extent of its map of each image."""


def agreement(
    method: str, iou: float, other_images: float, *, models: str = "ab", images: int = 9
) -> ModelAgreementRow:
    numbers = {"iou": iou, "low": iou - 0.1, "high": iou + 0.1, "other_images": other_images, "p_value": 0.001}
    model_a, model_b = models
    return fake_row(ModelAgreementRow, model_a=model_a, model_b=model_b, method=method, images=images, **numbers)


def same_places(*rows: ModelAgreementRow, classes: str = "") -> list[FindingRow]:
    """`classes`: a letter for each image."""
    tables = Tables()
    tables.write(ModelAgreementRow, rows)
    tables.write(
        ImageRow,
        [fake_row(ImageRow, image=f"i{number}", class_name=letter) for number, letter in enumerate(classes)],
    )
    return [row for row in find(tables) if row.finding == "same_places"]


def model_extents(**extents: Extents) -> list[FindingRow]:
    tables = Tables()
    shapes = [
        fake_row(MapShapeRow, model=model, image=f"i{number}", method=method, extent=extent)
        for model, of_methods in extents.items()
        for method, of_images in of_methods.items()
        for number, extent in enumerate(of_images)
    ]
    tables.write(MapShapeRow, shapes)
    tables.write(ImageRow, [fake_row(ImageRow, image=image) for image in dict.fromkeys(row.image for row in shapes)])
    return [row for row in find(tables) if row.finding == "model_extents"]


def test_the_method_that_is_furthest_beyond_different_images_stands_for_the_pair() -> None:
    """LIME has the higher IoU, and Grad-CAM more of it than different images share: 0.4 against 0.1."""
    (row,) = same_places(agreement("lime", 0.6, 0.5), agreement("gradcam", 0.5, 0.1, images=8))
    assert (row.statistic, row.value, row.low) == ("mean IoU of Grad-CAM", 0.5, None), (
        "an interval of the highest would not know it"
    )
    assert row.images == 9, "of the method with the most"
    assert row.p_value == pytest.approx(0.002), "Holm over two methods"
    assert row.claim == (
        "a and b look at the same places of an image, beyond what different images share, by LIME (IoU 0.60, on "
        "different images 0.50), Grad-CAM (IoU 0.50, on different images 0.10)."
    )


def test_methods_that_no_image_defines_are_no_evidence_of_the_same_places() -> None:
    nothing = agreement("lime", math.nan, math.nan, images=0)
    assert same_places(nothing) == []
    (row,) = same_places(nothing, agreement("gradcam", 0.5, 0.1))
    assert (row.statistic, row.p_value) == ("mean IoU of Grad-CAM", pytest.approx(0.001))


def test_images_of_few_classes_can_be_paired_anew_in_few_ways() -> None:
    """Six images alone give 720 pairings, so that 1/720 could be shown; classes of 3, 2 and 1 give 12, and 1/12 not."""
    for classes, outcome in (("abcdef", Outcome.UNDECIDED), ("aaabbc", Outcome.CANNOT_TELL)):
        (row,) = same_places(dataclasses.replace(agreement("lime", 0.6, 0.5, images=6), p_value=0.2), classes=classes)
        assert row.outcome is outcome
    assert row.claim.endswith("cannot be told with 6 images.")


def test_that_methods_are_as_good_cannot_be_told_with_fewer_than_15_images() -> None:
    """Of 40 images in 10 classes ten count; with fewer than 10 classes each image does."""
    for images, per_class, outcome in (
        (14, 1, Outcome.CANNOT_TELL),
        (15, 1, Outcome.UNDECIDED),
        (40, 4, Outcome.CANNOT_TELL),
        (40, 5, Outcome.UNDECIDED),
    ):
        tables = Tables()
        tables.write(
            ImageRow,
            [fake_row(ImageRow, image=f"i{place}", class_name=f"c{place // per_class}") for place in range(images)],
        )
        tables.write(
            MethodDifferenceRow, [fake_row(MethodDifferenceRow, measure="truth", images=images, p_equivalent=0.3)]
        )
        (row,) = (row for row in find(tables) if row.finding == "as_good")
        assert row.outcome is outcome, (images, per_class)


def test_three_pairs_of_models_get_sentences() -> None:
    pairs = ("ab", "ac", "ad", "bc")
    rows = same_places(*(agreement("lime", 0.6, 0.5, models=models) for models in pairs))
    assert [row.claim.partition(" look")[0] for row in rows] == ["a and b", "a and c", "a and d"]
    extents = model_extents(**{model: {"lime": [0.1] * 3} for model in "abcd"})
    assert [row.claim.partition(":")[0] for row in extents] == ["a and b", "a and c", "a and d"]


def test_the_largest_difference_of_extents_stands_for_the_pair_whatever_its_sign() -> None:
    (row,) = model_extents(a={"lime": [0.6] * 14, "gradcam": [0.2] * 14}, b={"lime": [0.5] * 14, "gradcam": [0.5] * 14})
    assert row.statistic == "difference of extent by Grad-CAM"
    assert row.value == pytest.approx(-0.3)
    assert (row.images, row.outcome) == (14, Outcome.SUPPORTED)
    assert row.claim.endswith("on so much of the view: LIME 60% against 50%, Grad-CAM 20% against 50%.")


def test_extents_are_compared_on_the_images_and_by_the_methods_of_both_models() -> None:
    """LIME has three images of both models, with means of 0.2 and 0.4; Grad-CAM two that are alike, RISE none."""
    nan = math.nan
    (row,) = model_extents(
        a={"lime": [0.1, 0.2, 0.3, nan, 0.9], "gradcam": [0.5] * 5, "rise": [0.5] * 5},
        b={"lime": [0.3, 0.4, 0.5, 0.9, nan], "gradcam": [0.5, 0.5, nan, nan, nan]},
    )
    assert row.value == pytest.approx(-0.2)
    assert (row.images, row.outcome) == (3, Outcome.CANNOT_TELL)
    assert row.p_value == pytest.approx(2 * 2 / 2**3), "two of eight patterns of signs, and Holm over two methods"
    assert row.claim.endswith("cannot be told with 3 images.")


def test_models_without_a_method_in_common_get_no_sentence_on_extents() -> None:
    assert model_extents(a={"lime": [0.1] * 8}, b={"gradcam": [0.5] * 8}) == []


def test_extents_that_differ_in_either_direction_are_no_difference() -> None:
    """The mean of 0.1 and -0.1 is 0, and no pattern of signs has less."""
    (row,) = model_extents(a={"lime": [0.2, 0.2]}, b={"lime": [0.1, 0.3]})
    assert (row.value, row.p_value) == (pytest.approx(0), 1)
