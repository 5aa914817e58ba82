from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from lumiscope.runs import AgreementRow, AgreementSummaryRow, FindingRow, ImageRow, JudgementRow, Outcome, PredictionRow
from lumiscope.study.findings import find
from lumiscope.study.stage import Tables
from lumiscope.testing import fake_row


def tables(
    judgements: list[JudgementRow] | None = None,
    summary: list[AgreementSummaryRow] | None = None,
    images: list[AgreementRow] | None = None,
) -> Tables:
    written = Tables()
    written.write(AgreementRow, images or [])
    written.write(JudgementRow, judgements or [])
    written.write(AgreementSummaryRow, summary or [])
    return written


def judgement(image: str, correct: bool | None = None, mask_shows_label: bool | None = None) -> JudgementRow:
    return fake_row(JudgementRow, model="m", image=image, correct=correct, mask_shows_label=mask_shows_label)


def summary_row(a: str, b: str, iou: float, p_value: float) -> AgreementSummaryRow:
    numbers = {"iou": iou, "low": iou - 0.1, "high": iou + 0.1, "other_images": 0.2, "ceiling": 0.9}
    return fake_row(AgreementSummaryRow, model="m", method_a=a, method_b=b, images=9, p_value=p_value, **numbers)


def said(of: Tables, *names: str) -> list[FindingRow]:
    """The findings of these kinds."""
    return [row for row in find(of) if row.finding in names]


def test_nothing_is_found_in_nothing() -> None:
    assert find(Tables()) == find(tables()) == []


def test_accuracy_counts_the_images_that_have_a_label() -> None:
    (finding,) = find(tables([judgement("a", True), judgement("b", False), judgement("c", None)]))
    assert finding.claim == "m predicts the label of 1 of 2 labelled images. It misses b."
    assert (finding.value, finding.images) == (0.5, 2)
    assert (finding.finding, finding.outcome, finding.p_value) == ("accuracy", Outcome.OBSERVED, None)
    interval = stats.binomtest(1, 2).proportion_ci(method="wilson")
    assert (finding.low, finding.high) == (interval.low, interval.high)


def test_labels_that_a_sure_model_denies_are_named() -> None:
    of = tables([judgement("a", False), judgement("b", False), judgement("c", True), judgement("d", None)])
    probabilities = {"a": 0.9, "b": 0.89, "c": 0.97, "d": 0.99}
    of.write(
        PredictionRow,
        [
            fake_row(PredictionRow, model="m", image=image, rank=1, short_name="cat", probability=probability)
            for image, probability in probabilities.items()
        ],
    )
    (doubtful,) = said(of, "doubtful_labels")
    assert doubtful.claim.startswith("m is at least 90% sure of another class than the label on 1 of 3 labelled images")
    assert "a (cat 0.90, labelled" in doubtful.claim
    assert doubtful.meaning == (
        "1 of 2 images that it is as sure of have its label; whether the label or the model is wrong on the others was "
        "not looked at"
    )
    assert doubtful.named_images == ("a",)


def images_of(a: str, b: str, excess: Sequence[float], other_images: float = 0.2) -> list[AgreementRow]:
    """Images on which a pair has so much more IoU than on different images."""
    return [
        fake_row(AgreementRow, model="m", image=str(image), method_a=a, method_b=b, iou=other_images + value,
                 other_images=other_images)
        for image, value in enumerate(excess)
    ]  # fmt: skip


def test_pairs_that_share_more_than_different_images_are_named() -> None:
    """Two sentences are tested, of pairs and of true masks: each has half of the level, and Holm counts inside it."""
    rows = [
        summary_row("gradcam", "scorecam", 0.7, 0.01),
        summary_row("lime", "ground_truth", 0.6, 0.02),
        summary_row("gradcam", "lime", 0.3, 0.06),
    ]
    pairs, truth = said(tables(summary=rows), "agreement", "true_masks")
    assert pairs.claim == (
        "m: 1 of 2 pairs of methods agree beyond what masks of different images share: Grad-CAM and Score-CAM (IoU "
        "0.70, on different images 0.20). It is not shown of Grad-CAM and LIME (IoU 0.30, on different images 0.20)."
    )
    assert pairs.p_value == pytest.approx(0.04), "two pairs, two sentences"
    assert truth.claim == (
        "m: 1 of 1 methods overlap the true masks beyond what masks of different images share: LIME (IoU 0.60, on "
        "different images 0.20)."
    )
    assert truth.p_value == pytest.approx(0.04)
    assert (pairs.outcome, truth.outcome) == (Outcome.SUPPORTED, Outcome.SUPPORTED)


def test_a_single_pair_is_no_extreme() -> None:
    only, overview = find(tables(summary=[summary_row("gradcam", "scorecam", 0.7, 0.01)]))
    assert "1 of 1 pairs" in only.claim
    assert overview.claim.startswith("Of 1 tested sentence, 1 shown; ")


def test_a_pair_that_no_image_defines_is_no_extreme_and_no_test() -> None:
    nothing = dataclasses.replace(summary_row("gradcam", "lime", math.nan, math.nan), images=0)
    rows = [summary_row("gradcam", "scorecam", 0.7, 0.02), summary_row("lime", "scorecam", 0.4, 0.03), nothing]
    (pairs,) = said(tables(summary=rows), "agreement")
    assert "2 of 2 pairs" in pairs.claim
    assert pairs.p_value == pytest.approx(0.04), "Holm over two tests"


@pytest.mark.parametrize(("p_value", "shown"), [(0.016, 3), (0.017, 0)])
def test_what_is_not_shown_after_the_correction_is_said(p_value: float, shown: int) -> None:
    """Three pairs: 0.016 · 3 is below 0.05, and 0.017 · 3 is not."""
    names = [("gradcam", "scorecam"), ("gradcam", "lime"), ("lime", "scorecam")]
    (pairs,) = said(tables(summary=[summary_row(a, b, 0.7, p_value) for a, b in names]), "agreement")
    assert pairs.p_value == pytest.approx(3 * p_value)
    assert f"m: {shown} of 3 pairs of methods agree" in pairs.claim
    assert ("not shown" in pairs.claim) == (shown == 0)
    assert pairs.outcome == (Outcome.SUPPORTED if shown else Outcome.UNDECIDED)


def test_what_few_images_cannot_tell_is_said() -> None:
    """Three images have six pairings: no p-value is below 1/6."""
    rows = [dataclasses.replace(summary_row("gradcam", "lime", 0.9, 1 / 6), images=3)]
    (only,) = said(tables(summary=rows), "agreement")
    assert only.outcome == Outcome.CANNOT_TELL
    assert only.claim == (
        "m: whether pairs of methods agree beyond what masks of different images share cannot be told with 3 images."
    )


NAMES = [("gradcam", "scorecam"), ("gradcam", "lime"), ("lime", "scorecam")]


@pytest.mark.parametrize(("pairs", "images", "told"), [(1, 3, False), (1, 4, True), (3, 4, False), (3, 5, True)])
def test_n_images_have_n_factorial_pairings(pairs: int, images: int, told: bool) -> None:
    """The least p-values that Holm leaves: 1/6, 1/24 for one pair, 3/24 and 3/120 for the first of three."""
    rows = [dataclasses.replace(summary_row(*names, 0.5, 0.9), images=images) for names in NAMES[:pairs]]
    claim = said(tables(summary=rows), "agreement")[0].claim
    assert ("cannot be told" in claim) != told
    assert (f"with {images} images it is not shown of Grad-CAM and Score-CAM (IoU 0.50" in claim) == told


@pytest.mark.parametrize(("images", "told"), [(6, False), (7, True)])
def test_n_images_have_two_to_the_n_signs(images: int, told: bool) -> None:
    """Two signs and three sentences: 6 / 2^6 is above 0.05, 6 / 2^7 is not; here all are alike."""
    rows = [row for names in NAMES for row in images_of(*names, [0.3] * images)]
    of = tables(summary=[summary_row(*names, 0.5, 0.001) for names in NAMES], images=rows)
    most, least = said(of, "most_agreement", "least_agreement")
    for finding, end in ((most, "most"), (least, "least")):
        assert f"which methods agree {end} {'is not shown' if told else 'cannot be told'}" in finding.claim
        assert finding.p_value == 1


@pytest.mark.parametrize(("count", "more"), [(3, "."), (4, " and 1 more."), (5, " and 2 more.")])
def test_three_pairs_are_spelled_out(count: int, more: str) -> None:
    methods = ("gradcam", "scorecam", "lime", "rise")
    names = [(a, b) for number, a in enumerate(methods) for b in methods[:number]][:count]
    claim = said(tables(summary=[summary_row(*pair, 0.5, 0.001) for pair in names]), "agreement")[0].claim
    assert claim.count("IoU 0.50") == 3
    assert claim.endswith(f"on different images 0.20){more}")


def test_an_end_is_named_where_it_lies_beyond_every_other() -> None:
    names = [("gradcam", "scorecam"), ("gradcam", "lime"), ("lime", "scorecam")]
    summary = [summary_row(a, b, iou, 0.001) for (a, b), iou in zip(names, (0.7, 0.4, 0.39), strict=True)]
    rng = np.random.default_rng(0)
    levels = (0.5, 0.2, 0.19)
    rows = [
        row
        for pair, level in zip(names, levels, strict=True)
        for row in images_of(*pair, level + rng.normal(0, 0.05, 20))
    ]
    most, least = said(tables(summary=summary, images=rows), "most_agreement", "least_agreement")
    assert most.claim == "m: Grad-CAM and Score-CAM agree most: mean IoU 0.70, on different images 0.20."
    assert most.value == pytest.approx(0.5, abs=0.05)
    assert most.outcome == Outcome.SUPPORTED
    assert least.claim.startswith("m: which methods agree least is not shown: ")
    (few,) = said(tables(summary=summary, images=[row for row in rows if int(row.image) < 4]), "most_agreement")
    assert few.claim == "m: which methods agree most cannot be told with 4 images."


@pytest.mark.parametrize("images", [12, 40])
def test_among_methods_that_are_alike_none_is_named(images: int) -> None:
    """Exchangeable pairs on images that differ: 5 % of studies may name one for either end, 200 are tried."""
    names = [("gradcam", "scorecam"), ("gradcam", "lime"), ("lime", "scorecam")]
    summary = [dataclasses.replace(summary_row(a, b, 0.5, 0.001), images=images) for a, b in names]
    named = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        of_image = rng.normal(0.3, 0.1, images)
        rows = [row for pair in names for row in images_of(*pair, of_image + rng.normal(0, 0.1, images))]
        ends = said(tables(summary=summary, images=rows), "most_agreement", "least_agreement")
        named += any(row.outcome == Outcome.SUPPORTED for row in ends)
    assert named <= 18, "10 on average at most; more than 18 has a probability below 0.01"


@pytest.mark.parametrize(("shows", "foreign"), [((True, None), False), ((False, None), True), ((False, True), False)])
def test_masks_of_something_else_are_no_truth(shows: tuple[bool | None, ...], foreign: bool) -> None:
    judgements = [judgement(str(number), mask_shows_label=shown) for number, shown in enumerate(shows)]
    summary = [summary_row(method, "ground_truth", iou, 0.001) for method, iou in (("gradcam", 0.6), ("lime", 0.3))]
    rng = np.random.default_rng(1)
    rows = [row for method, level in (("gradcam", 0.5), ("lime", 0.1))
            for row in images_of(method, "ground_truth", level + rng.normal(0, 0.05, 12))]  # fmt: skip
    overlaps, truth = said(tables(judgements, summary, rows), "true_masks", "best_cover")
    assert ("overlaps the true masks most" in truth.claim) == foreign
    for finding in (overlaps, truth):
        assert finding.meaning.endswith("so this tells where it looks, not whether that is right") == foreign
    assert ("covers the true masks best" in truth.claim) != foreign


DISAGREED = {
    "three far below": (
        [-0.3, -0.2, -0.1, 0.2, 0.4],
        "disagree most on 0 (-0.30), 1 (-0.20), 2 (-0.10); IoU beside",
        "012",
    ),
    "none at +0.00": ([-0.3, -0.004, 0.1, 0.204], "disagree most on 0 (-0.30); IoU beside", "0"),
    "none above": ([-0.3, 0.1, 0.1, 0.1], "disagree most on 0 (-0.30); IoU beside", "0"),
    "ties": (
        [-0.2, -0.1, -0.1, -0.1, -0.1, 0.6],
        "1 (-0.10), 2 (-0.10) and 2 more as much as on the last;",
        "012",
    ),
    "alike": ([0.0, 0.0, 0.0, 0.0], "disagree on none more than on the others: IoU beside", ""),
}


@pytest.mark.parametrize("case", DISAGREED)
def test_images_on_which_methods_disagree_are_those_below_the_mean(case: str) -> None:
    excess, text, named = DISAGREED[case]
    rows = images_of("gradcam", "scorecam", excess)
    (finding,) = said(tables(summary=[summary_row("gradcam", "scorecam", 0.7, 0.01)], images=rows), "disagreed_images")
    assert finding.claim.startswith(f"m: of {len(excess)} images, methods ")
    assert text in finding.claim
    assert finding.named_images == tuple(named)
    assert finding.value == pytest.approx(min(excess))


def test_long_names_of_images_are_cut_in_sentences_and_whole_in_the_table() -> None:
    name = "a" * 100 + "b" * 155
    judged = [judgement(name, False)]
    rows = [dataclasses.replace(row, image=name) if row.image == "0" else row
            for row in images_of("gradcam", "lime", [-0.3, 0.1, 0.1, 0.1])]  # fmt: skip
    first = fake_row(PredictionRow, model="m", image=name, rank=1, probability=0.95)
    of = tables(judged, [summary_row("gradcam", "lime", 0.7, 0.01)], rows)
    of.write(PredictionRow, [first])
    findings = said(of, "accuracy", "doubtful_labels", "disagreed_images")
    assert len(findings) == 3
    for finding in findings:
        assert f"{'a' * 30}…{'b' * 24}" in finding.claim
        assert name not in finding.claim
        assert finding.named_images == (name,)


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " and 1 more"), (7, " and 2 more")])
def test_many_misses_are_counted(count: int, more: str) -> None:
    (finding,) = find(tables([judgement(f"i{number}", False) for number in range(count)]))
    assert finding.claim.endswith(f"It misses i0, i1, i2, i3, i4{more}.")
    assert finding.named_images == ("i0", "i1", "i2", "i3", "i4")


@pytest.mark.parametrize(("known", "outcome"), [(False, Outcome.SUPPORTED), (True, Outcome.UNDECIDED)])
def test_images_of_one_class_are_one_witness(known: bool, outcome: Outcome) -> None:
    """A rank correlation of 0.34 is nothing with twelve classes, and much with ten alike images of each."""
    agreement, confidence = np.arange(12), np.array([3, 6, 1, 9, 4, 0, 11, 2, 8, 10, 5, 7])
    judgements = [
        fake_row(JudgementRow, model="m", image=str(image), correct=None, probability=value / 20)
        for image, value in enumerate(np.repeat(confidence, 10).tolist())
    ]
    images = images_of("gradcam", "lime", np.repeat(agreement / 100, 10))
    of = tables(judgements, [summary_row("gradcam", "lime", 0.4, 0.5)], images)
    of.write(
        ImageRow,
        [
            fake_row(ImageRow, image=str(image), class_name=f"class {image // 10}" if known else None)
            for image in range(120)
        ],
    )
    (finding,) = said(of, "agreement_and_confidence")
    assert finding.outcome is outcome
    assert finding.value == pytest.approx(stats.spearmanr(agreement, confidence).statistic)


def test_a_finding_as_text_has_its_meaning_as_a_second_sentence() -> None:
    row = fake_row(FindingRow, claim="m: LIME is the sharpest.", meaning="a border is no evidence", tables="a, b")
    assert row.text == "m: LIME is the sharpest. A border is no evidence."
    assert dataclasses.replace(row, meaning="").text == "m: LIME is the sharpest."
    assert (row.table_names, dataclasses.replace(row, tables="").table_names) == (("a", "b"), ())
