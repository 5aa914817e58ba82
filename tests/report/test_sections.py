"""Section by section: what is said is what the tables hold."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest

from lumiscope.report._thumbnails import Thumbnails
from lumiscope.report.page import Page
from lumiscope.report.parts.map_figure import coefficient_scale
from lumiscope.report.sections.images.section import images
from lumiscope.report.sections.summary.glance import glance
from lumiscope.report.sections.summary.section import summary
from lumiscope.runs import (
    ASSUMED_OF_PREPROCESSING,
    AgreementRow,
    AgreementSummaryRow,
    CategoryRow,
    ExplanationRow,
    FindingRow,
    ImageRow,
    JudgementRow,
    MapAgreementSummaryRow,
    MethodRankRow,
    ModelRow,
    SkippedRow,
)
from lumiscope.testing import fake_row


def words(page) -> str:
    return " ".join(page.text.split())


def number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}".replace("-", "−")


def test_header(page):
    assert "4 images · 2 models · 4 explanation methods · 6 layers dissected with 41 probing images" in words(page)
    assert "22 November 2026, 23:48 UTC" in page.text


def test_findings(page, fakes):
    text = words(page)
    for claim, *_ in fakes.FINDINGS:
        assert claim in text
    assert "mean IoU 0.123 · interval 0.050 to 0.190 · sign-flip permutation test: p < 0.001 · 4 images" in text


def test_differences_between_label_and_prediction(page):
    (rows,) = page.rows("Image", "Label")
    by_image = {row[1]: row[2:] for row in rows}
    assert by_image["racer_01"] == ["racer", "≠ label: racer · predicted: sports car 61.0 %", "✓ racer 65.1 %"]
    assert by_image["square_03"] == ["no label", "sports car 75.0 %", "racer 79.1 %"]
    assert by_image["wheel_04"][2] == "≠ label: <b>x</b>& · predicted: disc 86.1 %"
    assert "objects: differs from the label on 1 of 3 labelled images" in words(page)
    # In the table and on the card.
    assert words(page).count("≠ label: racer · predicted: sports car") == 2
    assert words(page).count("≠ prediction differs from the label") == 2


def test_what_was_assumed_stands_beside_the_predictions(page, fakes, read, tmp_path):
    assert "assumed" not in words(page)
    run = fakes.fake_run(tmp_path)
    objects, *others = run.tables[ModelRow]
    note = ASSUMED_OF_PREPROCESSING + "ImageNet mean, ImageNet std"
    assert objects.assumed == ""
    run.tables[ModelRow] = [dataclasses.replace(objects, notes=("other", note)), *others]
    assert run.tables[ModelRow][0].assumed == "ImageNet mean, ImageNet std"
    text = words(read(run))
    assert (
        f"{objects.model}: what it sees was assumed, as nothing states it: ImageNet mean, ImageNet std. If that is "
        "wrong, so are its predictions; --mean, --std and --input-size say it."
    ) in text
    assert text.count("; assumed of what it sees: ImageNet mean, ImageNet std") == 4  # a card for each image


def test_warnings_stand_under_the_map_and_not_among_its_numbers(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    key = ("objects", "racer_01", "lime")
    doubtful = {**run.maps[key].details, "warnings": ["few samples", "R² < 0.5"]}
    run.maps[key] = dataclasses.replace(run.maps[key], details=doubtful)
    page = read(run)
    assert words(page).count("Caution:") == 2
    assert "Caution: few samples Caution: R² < 0.5" in words(page)
    assert "segments 64" in words(page)
    assert "['few samples'" not in words(page)
    assert len([paragraph for paragraph in page.of("p") if paragraph.get("class") == "map-warning"]) == 2


def test_labels_without_explanations(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    del run.tables[ExplanationRow], run.tables[AgreementRow]
    (rows,) = read(run).rows("Image", "Label")
    assert rows[0][3:] == ["≠ label: racer · predicted: sports car 61.0 %", "✓ racer 65.1 %"]


def test_a_label_that_a_model_does_not_know(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    unknown = {"label_index": None, "label_short_name": None, "correct": None}
    run.change(JudgementRow, lambda row: unknown if row.model == "objects" else {})
    page = read(run)
    assert page.rows("Image", "Label")[0][0][2:4] == ["racer", "sports car the label is none of its classes 61.0 %"]
    assert "objects: no image has a label in its classes" in words(page)


def test_models(page):
    (rows,) = page.rows("Model", "Where it comes from")
    assert rows[0][:5] == [
        "objects",
        "world:objects",
        "1 000",
        "stage4",
        "128 × 128, crop, bilinear",
    ]
    assert "shortcut: trained with a planted shortcut" in words(page)


def test_categories(page, run, fakes):
    tables = page.rows("Category", "stem")
    table = run.rows(CategoryRow)
    used = {row.category for row in table if row.units}
    for model, rows in zip(fakes.MODELS, tables, strict=True):
        assert {row[0] for row in rows} == used
        for name, *cells in rows:
            mine = [row for row in table if row.model == model and row.category == name]
            assert cells == [
                f"{row.units} ({100 * row.share:.1f} %; {100 * row.low:.0f}–{100 * row.high:.0f} %)" for row in mine
            ]
    widths = re.findall(r'class="piece[^"]*" style="width:([\d.]+)%', page.source)
    assert math.isclose(sum(map(float, widths)), 800)  # six layers and two models, bars of 100 %


def test_overlaps_of_each_image(page, run, fakes):
    tables = page.rows("Masks of", "IoU", "Bar")
    assert len(tables) == 8
    titles = {**fakes.METHODS, "ground_truth": "ground truth"}
    keys = [(model, image) for image in fakes.IMAGES for model in fakes.MODELS]
    for (model, image), rows in zip(keys, tables, strict=True):
        mine = [row for row in run.rows(AgreementRow) if (row.model, row.image) == (model, image)]
        true = {f"{titles[row.method_a]} × {titles[row.method_b]}": row for row in mine}
        assert {row[0] for row in rows} == set(true)
        for name, iou, reason, others, chance, ceiling, areas in rows:
            row = true[name]
            numbers = [number(value) for value in (row.iou, row.other_images, row.chance, row.ceiling)]
            assert [iou, others, chance, ceiling] == numbers
            assert areas == f"{100 * row.area_a:.1f} % · {100 * row.area_b:.1f} %"
            assert reason == row.reason
        values = [-1.0 if row[1] == "undefined" else float(row[1]) for row in rows]
        assert values == sorted(values, reverse=True)


def test_undefined_overlaps_say_why(page):
    (rows,) = page.rows("Image", "Model", "Masks of")
    assert rows == [["square_03", "shortcut", "Ablation-CAM and Score-CAM", "both masks are empty"]]


def test_undefined_explanations_say_why(page):
    assert words(page).count("undefined: no channel raises the score of this class") == 2
    assert "Ablation-CAM of square_03 in shortcut" in page.text


def test_agreement_summary(page, run, fakes):
    tables = page.rows("Masks of", "IoU", "95 % interval")
    assert [len(rows) for rows in tables] == [6, 4, 6, 4]
    titles = {**fakes.METHODS, "ground_truth": "ground truth"}
    shown = {(model, row[0]): row[1:] for model, part in zip("ooss", tables, strict=True) for row in part}
    for row in run.rows(AgreementSummaryRow):
        cells = shown[row.model[0], f"{titles[row.method_a]} × {titles[row.method_b]}"]
        p_value = "p < 0.001" if row.p_value < 0.001 else f"p = {row.p_value:.3f}"
        chance = [number(row.other_images), p_value, number(row.chance), number(row.ceiling)]
        interval = f"{number(row.low)} to {number(row.high)}"
        assert cells == [number(row.iou), interval, *chance, str(row.images)]
    for rows in tables:
        values = [float(row[1]) for row in rows]
        assert values == sorted(values, reverse=True)


def test_skipped(page, run):
    (rows,) = page.rows("What", "Name", "Why")
    for row in run.rows(SkippedRow):
        assert [row.what, row.name, row.reason] in rows


def test_how_it_was_made(page, run):
    assert run.manifest.command in page.text
    text = words(page)
    for fact in ("torch 2.5.1", "AMD EPYC, 4 cores, 2 threads", "soft_wpmi", "after 8 min 31 s"):
        assert fact in text
    assert re.search(r"<dt>Seed</dt><dd>7</dd>", page.source)
    (methods,) = page.rows("Method", "Source")
    assert methods[3] == [
        "LIME",
        "Somebody et al. 2017",
        "1 forward, 1 backward",
        "num_samples = 1000, layer = null",
        "lime",
    ]
    (timings,) = page.rows("Model", "Method", "Per image")
    assert timings[0] == ["objects", "Grad-CAM", "0.18 s", "3", "1"]


def test_a_run_from_python_has_no_command(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.change_manifest(command=None)
    assert "started from Python" in read(run).text


def test_a_view_whose_file_is_gone(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    del run.views["disc_02"]
    page = read(run)
    assert words(page).count("No pictures: the image file (disc_02.png) is gone") == 2
    assert "Ablation-CAM × LIME" in page.text


def test_more_images_than_cards(fakes, read, tmp_path, monkeypatch):
    monkeypatch.setattr("lumiscope.report.sections.images.section.IMAGES_SHOWN", 3)
    page = read(fakes.fake_run(tmp_path))
    assert "3 of 4 images are shown, the first ones and those that a finding names." in words(page)
    assert len(page.rows("Masks of", "IoU", "Bar")) == 6


def test_what_a_finding_names_is_always_shown_and_links_lead_there(fakes, read, tmp_path, monkeypatch):
    monkeypatch.setattr("lumiscope.report.sections.images.section.IMAGES_SHOWN", 3)
    monkeypatch.setattr("lumiscope.report.sections.summary.glance.IMAGES_SHOWN", 2)
    run = fakes.fake_run(tmp_path)
    everything = [row.image for row in run.rows(ImageRow)]
    run.change(FindingRow, lambda row: {"named_images": (everything[3], "absent")} if row.number == 1 else {})
    page = Page(run)
    assert [image.row.image for image in images(page).images] == [*everything[:2], everything[3]]
    assert glance(page).images == (everything[0], everything[3])
    source = read(run).source
    assert re.findall(r'<td><a href="#(image-\d+)">', source)[:2] == ["image-1", "image-4"]
    assert re.findall(r'<details class="image" id="(image-\d+)"', source) == ["image-1", "image-2", "image-4"]


def test_more_images_than_rows(fakes, tmp_path, monkeypatch):
    monkeypatch.setattr("lumiscope.report.sections.summary.section.IMAGES_SHOWN", 2)
    content = summary(Page(fakes.fake_run(tmp_path), Thumbnails()))
    # Those that differ come first.
    assert [image.row.image for image, _ in content.images] == ["racer_01", "wheel_04"]
    assert content.image_count == 4


@pytest.mark.parametrize("named", ["disc_02", "square_03"])
def test_an_image_that_a_finding_names_has_its_row_though_others_differ(fakes, tmp_path, monkeypatch, named):
    monkeypatch.setattr("lumiscope.report.sections.summary.section.IMAGES_SHOWN", 2)
    run = fakes.fake_run(tmp_path)
    run.change(FindingRow, lambda row: {"named_images": (named,) if row.number == 2 else ()})
    content = summary(Page(run, Thumbnails()))
    assert [image.row.image for image, _ in content.images] == ["racer_01", named]


def test_models_share_the_scale_of_segments(run):
    maps = {key: saliency for key, saliency in run.maps.items() if key[1] == "racer_01"}
    scale = coefficient_scale(maps.values())
    assert scale == max(abs(saliency.coefficients).max() for key, saliency in maps.items() if key[2] == "lime")
    cards = images(Page(run)).images[0].cards
    ends = {(figure.low, figure.high) for card in cards for figure in card.maps if figure.is_signed}
    assert ends == {(f"−{scale:.2f}", f"+{scale:.2f}")}


def test_the_mask_is_the_one_that_was_compared(run):
    areas = {
        (row.model, row.image, row.method_a): (row.area_a, row.area_b)
        for row in run.rows(AgreementRow)
        if row.method_b == "ground_truth"
    }
    shown = {
        (card.model, image.row.image, figure.mask.row.method): (figure.mask.row.area, card.truth.row.area)
        for image in images(Page(run)).images
        for card in image.cards
        for figure in card.maps
        if figure.mask and card.truth
    }
    assert shown == areas


def test_true_masks_say_what_they_cover_and_masks_of_methods_how_far_they_overlap_them(run):
    ious = {
        (row.model, row.image, row.method_a): row.iou
        for row in run.rows(AgreementRow)
        if row.method_b == "ground_truth"
    }
    cards = [(image.row.image, card) for image in images(Page(run)).images for card in image.cards]
    covered = {image: None if card.truth is None else card.truth.shows for image, card in cards}
    assert covered == {"racer_01": "racer", "disc_02": "disc", "square_03": None, "wheel_04": "<b>x</b>&"}
    for image, card in cards:
        for figure in card.maps:
            if figure.mask is not None:
                key = (card.model, image, figure.mask.row.method)
                assert (figure.mask.shows, figure.mask.iou_with_truth) == ("", ious.get(key)), key


def test_two_maps_of_a_model_disagree_and_one_does_not(fakes, tmp_path):
    run = fakes.fake_run(tmp_path)
    methods = {"racer_01": ["gradcam"], "disc_02": ["gradcam", "lime"]}
    run.tables[ExplanationRow] = [row for row in run.rows(ExplanationRow) if row.method in methods.get(row.image, ())]
    cards = [(image.row.image, card) for image in images(Page(run)).images for card in image.cards]
    assert [(image, len(card.maps), card.disagreement is not None) for image, card in cards] == [
        *[("racer_01", 1, False)] * 2, *[("disc_02", 2, True)] * 2
    ]  # fmt: skip


def test_ranks_are_of_these_images_and_few_have_none(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    few = {"reason": "ranks take 10 images or more; there are 4", "share": math.nan}
    run.tables[MethodRankRow] = [
        fake_row(MethodRankRow, model=model, measure="extent", method=method, rank=rank, mean=0.25, **shares)
        for model, shares in (("objects", {"share": 0.5, "reason": ""}), ("attributes", few))
        for method in ("gradcam", "lime")
        for rank in (1, 2)
    ]
    (rows,) = read(run).rows("Model", "Measure", "Method", "Mean", "1.", "2.")
    assert rows[0] == ["objects", "half of the weight", "Grad-CAM", "0.250", "50 %", "50 %"]
    assert rows[2] == ["attributes", "half of the weight", "Grad-CAM", "0.250", few["reason"]]


def test_curves_of_the_same_and_of_different_images_are_drawn(fakes, read, tmp_path):
    """10 % of the cells are at x = 20; a share of 0.5 is half of the height, 40."""
    run = fakes.fake_run(tmp_path)
    row = fake_row(MapAgreementSummaryRow, model="objects", method_a="gradcam", method_b="lime", top_10=0.5)
    undefined = {name: math.nan for name in vars(row) if name.endswith("_other_images")}
    run.tables[MapAgreementSummaryRow] = [dataclasses.replace(row, top_10_other_images=0.25)]
    others, same = read(run).of("polyline")
    assert (others["class"], others["points"].split()[1]) == ("others", "20,30.0")
    assert same["points"].split()[1] == "20,20.0"
    run.tables[MapAgreementSummaryRow] = [dataclasses.replace(row, **undefined)]
    others, _ = read(run).of("polyline")
    assert others["points"] == "", "a single image has no others"


def test_a_map_without_a_mask_is_shown_without_one(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    whole = words(read(run)).count("mask max:0.5, ")
    run.masks = {key: mask for key, mask in run.masks.items() if key[2] != "gradcam"}
    assert words(read(run)).count("mask max:0.5, ") == whole - 8
