"""Extent and sharpness in sentences: of the methods over images, and of each map."""

from __future__ import annotations

import math

import numpy as np

from lumiscope.agreement import measure_map
from lumiscope.runs import FindingRow, MapShapeRow, ModelAgreementRow, ObservationRow, Outcome
from lumiscope.study.findings import find, observe
from lumiscope.study.stage import Tables
from lumiscope.testing import fake_row

SHAPES = {
    "gradcam": {"extent": 0.1, "entropy": 0.6, "gini": 0.7, "contour": 2.0, "sharpness": 9.0},
    "lime": {"extent": 0.3, "entropy": 0.9, "gini": 0.8, "contour": 3.0, "sharpness": 4.0},
}


def shape_rows(images: int, model: str = "m", **changes: dict[str, float]) -> list[MapShapeRow]:
    """Two methods whose maps are the same on all images. `changes`: method -> other numbers."""
    return [
        fake_row(MapShapeRow, model=model, image=str(image), method=method, **{**numbers, **changes.get(method, {})})
        for image in range(images)
        for method, numbers in SHAPES.items()
    ]


def shapes(images: int, **changes: dict[str, float]) -> Tables:
    tables = Tables()
    tables.write(MapShapeRow, shape_rows(images, **changes))
    return tables


def sentences(tables: Tables) -> dict[str, FindingRow]:
    return {row.finding: row for row in find(tables)}


def test_further_measures_name_the_same_method_or_another() -> None:
    """Of 30 images each is as this one: all three sentences are shown. Gini calls LIME focused, entropy Grad-CAM."""
    rows = sentences(shapes(30))
    half = "share of the view that holds half of the weight"
    assert rows["focused"].claim == (
        f"m: Grad-CAM is the most focused: {half}: Grad-CAM 10%, LIME 30%. Observed, not tested: first by their means "
        "is Grad-CAM by entropy, too, but LIME by Gini coefficient (0.80, Grad-CAM 0.70)."
    )
    assert rows["broadest"].claim == (
        f"m: LIME is the broadest: {half}: LIME 30%, Grad-CAM 10%. Observed, not tested: first by their means is LIME "
        "by entropy, too, but Grad-CAM by Gini coefficient (0.70, LIME 0.80)."
    )
    assert rows["sharpest"].claim == (
        "m: Grad-CAM is the sharpest: rise of the map over a width of the view, where it rises: Grad-CAM 9.0, LIME "
        "4.0. Observed, not tested: first by their means is LIME by length of contours (3.00, Grad-CAM 2.00)."
    )
    agreeing = sentences(shapes(30, lime={"gini": 0.5, "contour": 1.0}))
    assert agreeing["focused"].claim.endswith("means is Grad-CAM by entropy and Gini coefficient, too.")
    assert agreeing["sharpest"].claim.endswith("means is Grad-CAM by length of contours, too.")
    assert {row.p_value for row in agreeing.values()} == {rows["focused"].p_value, None}, (
        "further measures test nothing"
    )


def test_measures_are_named_where_nothing_is_shown() -> None:
    row = sentences(shapes(2))["focused"]
    assert row.outcome is Outcome.CANNOT_TELL
    assert row.claim == (
        "m: which method is the most focused cannot be told with 2 images. Observed, not tested: first by their means "
        "is Grad-CAM by half of the weight and entropy, but LIME by Gini coefficient (0.80, Grad-CAM 0.70)."
    )
    tie = sentences(shapes(2, lime={"entropy": 0.6, "gini": 0.7}))["focused"]
    assert tie.claim.endswith("means is Grad-CAM by half of the weight, entropy and Gini coefficient.")


def test_a_single_image_is_singular() -> None:
    tables = Tables()
    tables.write(MapShapeRow, shape_rows(1) + shape_rows(1, "n"))
    tables.write(
        ModelAgreementRow, [fake_row(ModelAgreementRow, model_a="m", model_b="n", method="lime", images=1, p_value=1.0)]
    )
    claims = {name: row.claim for name, row in sentences(tables).items() if name != "overview"}
    assert set(claims) == {"focused", "broadest", "sharpest", "same_places", "model_extents"}
    assert all("cannot be told with 1 image." in claim for claim in claims.values())


def test_observations_say_extent_and_sharpness() -> None:
    """A map that is 1 on the left half and 0 on the right rises by 1 within one of 20 columns: 20 over the width.

    The half of its weight is on a quarter of the view. A map without weight shows nothing.
    """
    values = np.zeros((20, 20), np.float32)
    values[:, :10] = 1
    shape = measure_map(values)
    numbers = {"extent": shape.extent, "sharpness": shape.sharpness, "inside": math.nan}
    blank = dict.fromkeys(("extent", "entropy", "gini", "contour", "sharpness", "inside", "covered"), math.nan)
    tables = Tables()
    tables.write(
        MapShapeRow,
        [fake_row(MapShapeRow, method="lime", **numbers), fake_row(MapShapeRow, method="gradcam", **blank)],
    )
    texts = {row.method: row.text for row in observe(tables) if isinstance(row, ObservationRow)}
    assert texts["lime"] == (
        "half of the weight on 25% of the view; sharpness 20.0, the rise over a width of the view where the map rises"
    )
    assert texts["gradcam"] == "nothing to see"
