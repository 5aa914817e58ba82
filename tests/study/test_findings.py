from __future__ import annotations

import pyarrow as pa
import pytest
from scipy import stats

from lumiscope.study import SCHEMAS
from lumiscope.study.findings import find


def tables(**rows: list[dict[str, object]]) -> dict[str, pa.Table]:
    return {name: pa.Table.from_pylist(rows.get(name, []), schema=schema) for name, schema in SCHEMAS.items()}


def summary_row(a: str, b: str, iou: float, p_value: float) -> dict[str, object]:
    numbers = {"iou": iou, "low": iou - 0.1, "high": iou + 0.1, "chance": 0.2, "ceiling": 0.9, "adjusted": 0.5}
    return {"model": "m", "method_a": a, "method_b": b, "images": 9, "p_value": p_value, **numbers}


def test_nothing_is_found_in_nothing() -> None:
    assert find(tables()) == []


def test_accuracy_counts_images_not_maps() -> None:
    rows = [
        {"model": "m", "image": image, "method": method, "correct": right}
        for image, right in [("a", True), ("b", False), ("c", None)]
        for method in ("gradcam", "lime")
    ]
    (finding,) = find(tables(explanations=rows))
    assert finding["claim"] == "m predicts the label of 1 of 2 labelled images. It misses b."
    assert (finding["value"], finding["images"]) == (0.5, 2)
    interval = stats.binomtest(1, 2).proportion_ci(method="wilson")
    assert (finding["low"], finding["high"]) == (interval.low, interval.high)


def test_agreement_names_best_and_worst_pair_and_tests_all_pairs() -> None:
    rows = [
        summary_row("gradcam", "scorecam", 0.7, 0.01),
        summary_row("lime", "ground_truth", 0.6, 0.02),
        summary_row("gradcam", "lime", 0.3, 0.04),
    ]
    best, worst, truth = find(tables(agreement_summary=rows))
    assert "m: Grad-CAM and Score-CAM agree most: mean IoU 0.70, above the 0.20" in best["claim"]
    assert best["p_value"] == pytest.approx(0.03), "Holm over the three rows"
    assert "Grad-CAM and LIME agree least: mean IoU 0.30" in worst["claim"]
    assert worst["p_value"] == pytest.approx(0.04)
    assert "LIME covers the true masks best" in truth["claim"]
    assert [finding["number"] for finding in (best, worst, truth)] == [1, 2, 3]


@pytest.mark.parametrize(("shows", "foreign"), [((True, None), False), ((False, None), True), ((False, True), False)])
def test_masks_of_something_else_are_no_truth(shows: tuple[bool | None, ...], foreign: bool) -> None:
    explanations = [{"model": "m", "image": str(k), "mask_shows_label": shown} for k, shown in enumerate(shows)]
    summary = [summary_row("gradcam", "ground_truth", 0.6, 0.02)]
    (truth,) = find(tables(agreement_summary=summary, explanations=explanations))
    assert ("overlaps the true masks most" in truth["claim"]) == foreign
    assert ("not whether that is right" in truth["claim"]) == foreign
    assert ("covers the true masks best" in truth["claim"]) != foreign


def test_many_misses_are_counted() -> None:
    rows = [{"model": "m", "image": f"i{k}", "method": "lime", "correct": False} for k in range(7)]
    (finding,) = find(tables(explanations=rows))
    assert finding["claim"].endswith("It misses i0, i1, i2, i3, i4 and 2 more.")
