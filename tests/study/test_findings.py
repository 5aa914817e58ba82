from __future__ import annotations

import dataclasses
import math

import pytest
from scipy import stats

from lumiscope.runs import AgreementSummaryRow, JudgementRow
from lumiscope.study.findings import find
from lumiscope.study.stage import Tables
from lumiscope.testing import fake_row


def tables(judgements: list[JudgementRow] | None = None, summary: list[AgreementSummaryRow] | None = None) -> Tables:
    written = Tables()
    written.write(JudgementRow, judgements or [])
    written.write(AgreementSummaryRow, summary or [])
    return written


def judgement(image: str, correct: bool | None = None, mask_shows_label: bool | None = None) -> JudgementRow:
    return fake_row(JudgementRow, model="m", image=image, correct=correct, mask_shows_label=mask_shows_label)


def summary_row(a: str, b: str, iou: float, p_value: float) -> AgreementSummaryRow:
    numbers = {"iou": iou, "low": iou - 0.1, "high": iou + 0.1, "chance": 0.2, "ceiling": 0.9, "adjusted": 0.5}
    return AgreementSummaryRow(model="m", method_a=a, method_b=b, images=9, p_value=p_value, **numbers)


def test_nothing_is_found_in_nothing() -> None:
    assert find(Tables()) == find(tables()) == []


def test_accuracy_counts_the_images_that_have_a_label() -> None:
    (finding,) = find(tables([judgement("a", True), judgement("b", False), judgement("c", None)]))
    assert finding.claim == "m predicts the label of 1 of 2 labelled images. It misses b."
    assert (finding.value, finding.images) == (0.5, 2)
    interval = stats.binomtest(1, 2).proportion_ci(method="wilson")
    assert (finding.low, finding.high) == (interval.low, interval.high)


def test_agreement_names_best_and_worst_pair_and_tests_all_pairs() -> None:
    rows = [
        summary_row("gradcam", "scorecam", 0.7, 0.01),
        summary_row("lime", "ground_truth", 0.6, 0.02),
        summary_row("gradcam", "lime", 0.3, 0.04),
    ]
    best, worst, truth = find(tables(summary=rows))
    assert "m: Grad-CAM and Score-CAM agree most: mean IoU 0.70, above the 0.20" in best.claim
    assert best.p_value == pytest.approx(0.03), "Holm over the three rows"
    assert "Grad-CAM and LIME agree least: mean IoU 0.30" in worst.claim
    assert worst.p_value == pytest.approx(0.04)
    assert "LIME covers the true masks best" in truth.claim
    assert [finding.number for finding in (best, worst, truth)] == [1, 2, 3]


def test_a_single_pair_agrees_most_and_not_least() -> None:
    (only,) = find(tables(summary=[summary_row("gradcam", "scorecam", 0.7, 0.01)]))
    assert "agree most" in only.claim
    assert only.p_value == pytest.approx(0.01)


def test_a_pair_that_no_image_defines_is_no_extreme_and_no_test() -> None:
    nothing = dataclasses.replace(summary_row("gradcam", "lime", math.nan, math.nan), images=0)
    rows = [summary_row("gradcam", "scorecam", 0.7, 0.02), summary_row("lime", "scorecam", 0.4, 0.03), nothing]
    best, worst = find(tables(summary=rows))
    assert "Grad-CAM and Score-CAM agree most" in best.claim
    assert "LIME and Score-CAM agree least" in worst.claim
    assert best.p_value == worst.p_value == pytest.approx(0.04), "Holm over two tests"


@pytest.mark.parametrize(("p_value", "verdict"), [(0.016, "above the"), (0.017, "not shown to be above the")])
def test_what_is_not_shown_after_the_correction_is_said(p_value: float, verdict: str) -> None:
    """Three rows: 0.016 · 3 is below 0.05, and 0.017 · 3 is not."""
    pairs = [("gradcam", "scorecam"), ("gradcam", "lime"), ("lime", "scorecam")]
    best, *_ = find(tables(summary=[summary_row(a, b, 0.7, p_value) for a, b in pairs]))
    assert best.p_value == pytest.approx(3 * p_value)
    assert f"mean IoU 0.70, {verdict} 0.20 of masks" in best.claim


@pytest.mark.parametrize(("shows", "foreign"), [((True, None), False), ((False, None), True), ((False, True), False)])
def test_masks_of_something_else_are_no_truth(shows: tuple[bool | None, ...], foreign: bool) -> None:
    judgements = [judgement(str(number), mask_shows_label=shown) for number, shown in enumerate(shows)]
    (truth,) = find(tables(judgements, [summary_row("gradcam", "ground_truth", 0.6, 0.02)]))
    assert ("overlaps the true masks most" in truth.claim) == foreign
    assert ("not whether that is right" in truth.claim) == foreign
    assert ("covers the true masks best" in truth.claim) != foreign


def test_many_misses_are_counted() -> None:
    (finding,) = find(tables([judgement(f"i{number}", False) for number in range(7)]))
    assert finding.claim.endswith("It misses i0, i1, i2, i3, i4 and 2 more.")
    assert finding.named_images == ("i0", "i1", "i2", "i3", "i4")
