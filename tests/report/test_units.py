"""Pages of single units: what is on them is what the tables hold."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.errors import UsageError


def page_of(run, row):
    from lumiscope.report.embed import Thumbnails
    from lumiscope.report.unit_pictures import UnitPictures
    from lumiscope.report.units import unit_of

    return unit_of(row, UnitPictures(run, Thumbnails()))


def rows_of(run, layer="stage4", model="objects"):
    return [row for row in run.table("units").to_pylist() if (row["model"], row["layer"]) == (model, layer)]


def test_the_clearest_units_and_some_without_a_label_are_shown(run):
    from lumiscope.report.embed import Thumbnails
    from lumiscope.report.unit_pictures import UnitPictures
    from lumiscope.report.units import layer_units

    rows = rows_of(run, "stem")
    cards = layer_units(rows, UnitPictures(run, Thumbnails()))
    assert (cards.num_labelled, cards.num_unlabelled) == (16, 4)
    best = max((row for row in rows if row["label"]), key=lambda row: row["heldout_correlation"])
    assert cards.labelled[0].unit == best["unit"]
    assert [shot.name for shot in cards.labelled[0].images] == best["top_images"][:8]
    # Those that might have had a label come first.
    assert [unit.reason.split(":")[0] for unit in cards.unlabelled] == ["unstable", "not significant", "constant"]


def test_a_unit_has_all_that_its_row_holds(run):
    row = next(row for row in rows_of(run) if row["label"] and row["unit"] == 7)
    unit = page_of(run, row)
    assert unit.label == row["label"]
    assert unit.further == tuple(row["further_labels"]) != ()
    assert [one.concept for one in unit.similar] == row["best_concepts"]
    np.testing.assert_allclose([one.width for one in unit.similar], [1, 0.8, 0.5, 0.3, 0.1])
    assert [shot.name for shot in unit.active_without] == row["active_without"]
    assert [shot.name for shot in unit.silent_with] == row["silent_with"]
    assert [one.images for one in unit.bins] == row["histogram"]
    top = max(unit.bins, key=lambda one: one.images)
    assert top.height == 1
    assert (unit.bins[0].low, unit.bins[-1].high) == (row["lowest"], row["highest"])
    assert unit.numbers["heldout_correlation"] == row["heldout_correlation"]


def test_similar_concepts_of_negative_scores_have_bars_that_fall(run):
    row = {**rows_of(run)[8], "best_concepts": ["a", "b", "c"], "best_scores": [-1.0, -2.0, -5.0]}
    np.testing.assert_allclose([one.width for one in page_of(run, row).similar], [1, 0.75, 0])


def test_a_unit_without_counter_examples_says_so(run, tmp_path):
    from lumiscope.report import write_unit_page

    row = {**rows_of(run)[7], "active_without": []}
    text = write_unit_page(run, row, tmp_path / "unit.html").read_text(encoding="utf-8")
    assert text.count("none of the probing images") == 1


def test_a_dead_unit_has_a_page_too(run):
    dead = {**rows_of(run)[0], "histogram": [0] * 20, "best_concepts": [], "best_scores": []}
    unit = page_of(run, dead)
    assert unit.label is unit.best is None
    assert (unit.similar, unit.bins) == ((), ())
    assert unit.reason == "dead"


def test_pictures_are_crops_where_they_are_known(run):
    from lumiscope.report.embed import Thumbnails
    from lumiscope.report.unit_pictures import UnitPictures

    (crop, *_) = run.table("unit_crops").to_pylist()
    row = next(row for row in rows_of(run, crop["layer"], crop["model"]) if row["unit"] == crop["unit"])
    thumbnails = Thumbnails()
    pictures = UnitPictures(run, thumbnails)
    first, second = pictures.shot(row, row["top_images"][0], 0.5), pictures.shot(row, row["top_images"][1])
    gone = pictures.shot(row, "probe_040")
    assert (first.cropped, second.cropped) == (True, False)
    assert first.text.startswith("part of probing image")
    assert "its file is gone" in gone.text
    # The same image is another picture where it is not cropped.
    assert pictures.shot({**row, "unit": 99}, row["top_images"][0]).css != first.css
    without = UnitPictures(run, Thumbnails(), crops=[])
    assert not without.shot(row, row["top_images"][0]).cropped


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((0.5, 0.25, 0.75, 0.75), (25, 75), (100, 150)),  # 50 high and 50 wide already
        ((0.0, 0.0, 0.5, 0.1), (0, 100), (0, 100)),  # the longer side decides, as far as the picture goes
        ((0.99, 0.99, 1.0, 1.0), (76, 100), (176, 200)),  # never less than 24 pixels
    ],
)
def test_crops_are_squares_inside_the_picture(box, rows, columns):
    from lumiscope.report.unit_pictures import square_crop

    pixels = np.stack(np.indices((100, 200)), axis=-1)
    crop = square_crop(np.concatenate([pixels, pixels[..., :1]], axis=-1).astype(np.uint8), box)
    assert crop.shape[0] == crop.shape[1]
    assert (crop[0, 0, 0], crop[-1, 0, 0] + 1) == rows
    assert (crop[0, 0, 1], crop[0, -1, 1] + 1) == columns


def test_a_page_of_one_unit_needs_nothing_else(run, tmp_path):
    from lumiscope.report import write_unit_page

    row = next(row for row in rows_of(run) if row["unit"] == 7)
    path = write_unit_page(run, row, tmp_path / "unit.html")
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert f"<h1>{row['label']}</h1>" in text
    assert "stage4:7" in text
    for heading in (
        "Most active on",
        f"Fires without {row['best_concepts'][0]}",
        "Most similar concepts",
        "Activations",
    ):
        assert heading in text
    assert f"{row['heldout_correlation']:.3f}" in text
    with pytest.raises(UsageError, match=r"ends in \.html"):
        write_unit_page(run, row, tmp_path / "unit.pdf")
