"""The strip of images at the top, captions, and labels of images that are labelled for several tasks."""

from __future__ import annotations

import numpy as np

from lumiscope.report._thumbnails import Thumbnails
from lumiscope.report.labels import class_names, label_text
from lumiscope.report.outline import enlarge_map
from lumiscope.report.page import Page, kept_thumbnails
from lumiscope.report.sections.summary.glance import glance
from lumiscope.runs import AgreementRow, ExplanationRow, ImageRow, JudgementRow, NoMap, ProbingImageRow


def words(page) -> str:
    return " ".join(page.text.split())


def test_views_and_where_each_model_looks(run, fakes):
    thumbnails = Thumbnails()
    strip = glance(Page(run, thumbnails))
    assert strip.method == "Grad-CAM"
    assert [row.name for row in strip.rows] == ["view", *fakes.MODELS]
    for row in strip.rows:
        assert [thumbnail.text for thumbnail in row.thumbnails] == [f"{image}, {row.name}" for image in fakes.IMAGES]
    shown = [thumbnail.css for row in strip.rows for thumbnail in row.thumbnails]
    assert len(set(shown)) == 12
    assert set(shown) == {name for name, _ in thumbnails.rules}


def test_a_map_that_is_undefined_leaves_a_gap(fakes, tmp_path):
    run = fakes.fake_run(tmp_path)
    undefined = {"reason": NoMap.UNDEFINED, "reason_detail": "why"}
    run.change(ExplanationRow, lambda row: undefined if row.image == "disc_02" else {})
    rows = glance(Page(run)).rows
    assert [row.thumbnails[1].css != "" for row in rows] == [True, False, False]


def test_segments_alone_make_no_strip(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.tables[ExplanationRow] = [row for row in run.rows(ExplanationRow) if row.method == "lime"]
    assert glance(Page(run)) is None
    assert "Where each model looks" not in read(run).text
    assert glance(Page(fakes.fake_run(tmp_path, explained=False), Thumbnails())) is None


def test_the_strip_leads_to_the_images(page):
    ids = [attributes.get("id") for attributes in page.of("details")]
    links = [link["href"] for link in page.of("a") if link["href"].startswith("#image-")]
    assert links == [f"#image-{number}" for number in range(1, 5)] * 3
    assert {link[1:] for link in links} <= set(ids)


def test_captions_and_description(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.change(ImageRow, lambda row: {"user_columns": {"caption": f"a picture of <{row.image}>"}})
    run.change_manifest(description="What this is about.")
    page = read(run)
    assert words(page).count("a picture of <disc_02>") == 2, "in the table and above the card"
    assert "What this is about." in page.text


def test_labels_of_two_tasks(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.change(ImageRow, lambda row: {"class_name": "disc|<b>x</b>&"} if row.image == "disc_02" else {})
    judged = {
        "objects": {"label_short_name": "disc", "correct": True},
        "shortcut": {"label_short_name": "<b>x</b>&", "correct": False},
    }
    run.change(JudgementRow, lambda row: judged[row.model] if row.image == "disc_02" else {})
    page = read(run)
    (rows,) = page.rows("Image", "Label")
    assert rows[1][2:4] == ["disc · <b>x</b>&", "✓ disc 68.0 %"]
    assert rows[1][4].startswith("≠ label: <b>x</b>& · predicted: disc")
    assert words(page).count("true mask (disc)") == 2


def test_masks_of_something_else_are_called_so(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.change(JudgementRow, lambda row: {"mask_shows_label": row.model == "objects"})
    text = words(read(run))
    assert text.count("The masks show something else than what shortcut is asked for") == 1
    assert "what objects is asked for" not in text


def test_masks_say_how_far_they_agree_with_the_truth(page, run):
    rows = [row for row in run.rows(AgreementRow) if row.method_b == "ground_truth"]
    text = words(page)
    for row in rows:
        assert f"IoU with the true mask {row.iou:.2f}" in text
    assert text.count("IoU with the true mask") == len(rows)


def test_class_names_of_a_cell():
    assert class_names("fish|night") == ("fish", "night")
    assert (class_names(None), label_text(None), label_text("")) == ((), None, None)
    assert label_text("fish|night") == "fish · night"
    assert label_text("tench, big") == "tench, big"


def test_an_enlarged_map_stays_in_its_range():
    values = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    large = enlarge_map(values, 3)
    assert large.shape == (15, 21)
    assert values.min() <= large.min() <= large.max() <= values.max()
    assert enlarge_map(values, 1) is values


def test_thumbnails_of_an_earlier_report_are_not_made_again(fakes, tmp_path):
    run = fakes.fake_run(tmp_path)
    kept = kept_thumbnails(run.memo)
    first = Thumbnails(kept)
    pixels = run.probing["probe_001"]
    assert first.css_class("a", lambda: pixels, "digest") == "t0"
    assert first.css_class("b", lambda: pixels) == "t1", "without a digest it is shown, but not kept"
    first.keep()
    again = Thumbnails(kept_thumbnails(run.memo))
    assert again.css_class("other", lambda: None, "digest") == "t0"
    assert again.rules == first.rules[:1]
    assert again.css_class("b", lambda: None) == ""


def test_a_report_keeps_its_probing_images(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.tables[ProbingImageRow] = [
        ProbingImageRow(image=name, file=name, path=name, sha256=name * 3) for name in run.probing
    ]
    first = read(run).source
    run.probing.clear()
    assert read(run).source == first
