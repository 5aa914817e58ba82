"""Pages of single units: what is on them is what the tables hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lumiscope.errors import UsageError
from lumiscope.report import write_unit_page
from lumiscope.report._thumbnails import Thumbnails
from lumiscope.report.page import Page
from lumiscope.report.parts.unit_details import UnitDetails
from lumiscope.report.sections.dissection.unit_cards import LayerCards, UnitCards
from lumiscope.report.unit_pictures import UnitPictures, square_crop
from lumiscope.runs import ShownUnitRow, UnitCropRow, UnitRow
from lumiscope.testing import fake_row


def details_of(run, row):
    return UnitDetails.of(row, UnitPictures(run, Thumbnails()))


def units_of(run, layer="stage4", model="objects"):
    return [row for row in run.rows(UnitRow) if (row.model, row.layer) == (model, layer)]


def test_the_units_that_the_study_chose_are_shown(run):
    rows = units_of(run, "stem")
    cards = UnitCards(Page(run)).of("objects", "stem")
    best = max((row for row in rows if row.label), key=lambda row: row.heldout_correlation)
    first = cards.labelled[0].details
    assert first.row is best
    assert [picture.image for picture in first.images] == list(best.top_images[:8])
    # As the study chose them: those that might have had a label come first.
    assert [card.details.row.reason for card in cards.unlabelled] == ["unstable", "not significant", "constant"]
    assert UnitCards(Page(run)).of("objects", None) == LayerCards()


def test_cards_stand_in_their_places(fakes, tmp_path):
    run = fakes.fake_run(tmp_path)
    chosen = [row for row in run.rows(ShownUnitRow) if (row.model, row.layer) == ("objects", "stem")]
    run.tables[ShownUnitRow] = run.rows(ShownUnitRow)[::-1]
    cards = UnitCards(Page(run)).of("objects", "stem")
    units = [card.details.row.unit for card in (*cards.labelled, *cards.unlabelled)]
    assert units == [row.unit for row in chosen]


def test_the_page_says_how_many_units_are_shown_of_how_many(page):
    text = " ".join(page.text.split())
    assert text.count("stem 6 of 16 labelled units, 3 of 4 without a label") == 2


def test_a_unit_has_all_that_its_row_holds(run):
    row = units_of(run)[7]
    unit = details_of(run, row)
    assert (row.unit, row.further_labels != ()) == (7, True)
    assert unit.row is row
    assert [similar.concept for similar in unit.similar] == list(row.best_concepts)
    np.testing.assert_allclose([similar.width for similar in unit.similar], [1, 0.8, 0.5, 0.3, 0.1])
    assert [picture.image for picture in unit.active_without] == list(row.active_without)
    assert [picture.image for picture in unit.silent_with] == list(row.silent_with)
    assert [histogram_bin.images for histogram_bin in unit.bins] == list(row.histogram)
    assert max(unit.bins, key=lambda histogram_bin: histogram_bin.images).height == 1
    assert (unit.bins[0].low, unit.bins[-1].high) == (row.lowest, row.highest)


def test_similar_concepts_of_negative_scores_have_bars_that_fall(run):
    row = replace(units_of(run)[8], best_concepts=("a", "b", "c"), best_scores=(-1.0, -2.0, -5.0))
    np.testing.assert_allclose([similar.width for similar in details_of(run, row).similar], [1, 0.75, 0])


def test_of_similar_concepts_five_are_shown_and_without_a_difference_all_bars_are_full(run):
    row = replace(units_of(run)[8], best_concepts=tuple("abcdef"), best_scores=(6.0, 5.0, 4.0, 3.0, 2.0, 1.0))
    assert [similar.concept for similar in details_of(run, row).similar] == ["a", "b", "c", "d", "e"]
    for score in (0.0, -0.5):
        alike = details_of(run, replace(row, best_concepts=("a", "b"), best_scores=(score, score))).similar
        assert [similar.width for similar in alike] == [1, 1]


def test_bars_of_a_histogram_divide_the_range_of_activations_and_are_as_high_as_logarithms(run):
    """log 1 = 0, log 2, log 8 = 3 log 2 and log 4 = 2 log 2 of one image more than there are."""
    row = replace(units_of(run)[7], histogram=(0, 1, 7, 3), lowest=-2.0, highest=6.0)
    bars = details_of(run, row).bins
    assert [(bar.low, bar.high, bar.images) for bar in bars] == [(-2, 0, 0), (0, 2, 1), (2, 4, 7), (4, 6, 3)]
    np.testing.assert_allclose([bar.height for bar in bars], [0, 1 / 3, 1, 2 / 3])
    assert bars[1].text == "0 to 2.00: 1 images"
    for unknown in ({"lowest": np.nan}, {"highest": np.nan}, {"histogram": (0,) * 4}):
        assert details_of(run, replace(row, **unknown)).bins == ()


def test_a_unit_without_counter_examples_says_so(run, tmp_path):
    row = replace(units_of(run)[7], active_without=())
    text = write_unit_page(run, row, tmp_path / "unit.html").read_text(encoding="utf-8")
    assert text.count("none of the probing images") == 1


def test_a_dead_unit_has_a_page_too(run, tmp_path):
    dead = replace(units_of(run)[0], histogram=(0,) * 20, reason_detail="0 on every probing image")
    unit = details_of(run, dead)
    assert dead.label is dead.best_concept is None
    assert (unit.similar, unit.bins) == ((), ())
    text = write_unit_page(run, dead, tmp_path / "unit.html").read_text(encoding="utf-8")
    assert "<dt>Why no label</dt><dd>dead: 0 on every probing image</dd>" in text
    assert "Fires without" not in text


def test_pictures_are_crops_where_they_are_known(run):
    (crop, *_) = run.rows(UnitCropRow)
    row = units_of(run, crop.layer, crop.model)[crop.unit]
    pictures = UnitPictures(run, Thumbnails())
    first, second = pictures.picture(row, row.top_images[0], 0.5), pictures.picture(row, row.top_images[1])
    gone = pictures.picture(row, "probe_040")
    assert (first.is_cropped, second.is_cropped) == (True, False)
    assert first.text.startswith("part of probing image")
    assert "its file is gone" in gone.text
    # The same image is another picture where it is not cropped.
    assert pictures.picture(replace(row, unit=99), row.top_images[0]).css != first.css
    without = UnitPictures(run, Thumbnails(), crops=[])
    assert not without.picture(row, row.top_images[0]).is_cropped


def test_it_is_said_that_pictures_are_cropped_where_they_are(run, tmp_path):
    (crop, *_) = run.rows(UnitCropRow)
    row = units_of(run, crop.layer, crop.model)[crop.unit]
    assert details_of(run, row).is_cropped
    assert not UnitDetails.of(row, UnitPictures(run, Thumbnails(), crops=[])).is_cropped
    assert not details_of(run, replace(row, top_images=(), top_activations=())).is_cropped
    whole = replace(row, top_images=row.top_images[1:], top_activations=row.top_activations[1:])
    pages = [write_unit_page(run, shown, tmp_path / "unit.html").read_text(encoding="utf-8") for shown in (row, whole)]
    assert ["cropped to where it fires" in text for text in pages] == [True, False]


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((0.5, 0.25, 0.75, 0.75), (25, 75), (100, 150)),  # 50 high and 50 wide already
        ((0.0, 0.0, 0.5, 0.1), (0, 100), (0, 100)),  # the longer side decides, as far as the picture goes
        ((0.99, 0.99, 1.0, 1.0), (76, 100), (176, 200)),  # never less than 24 pixels
    ],
)
def test_crops_are_squares_inside_the_picture(box, rows, columns):
    left, top, right, bottom = box
    crop = fake_row(UnitCropRow, left=left, top=top, right=right, bottom=bottom)
    pixels = np.stack(np.indices((100, 200)), axis=-1)
    square = square_crop(np.concatenate([pixels, pixels[..., :1]], axis=-1).astype(np.uint8), crop)
    assert square.shape[0] == square.shape[1]
    assert (square[0, 0, 0], square[-1, 0, 0] + 1) == rows
    assert (square[0, 0, 1], square[0, -1, 1] + 1) == columns


def test_a_page_of_one_unit_needs_nothing_else(run, tmp_path):
    row = units_of(run)[7]
    path = write_unit_page(run, row, tmp_path / "unit.html")
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert f"<h1>{row.label}</h1>" in text
    assert "stage4:7" in text
    for heading in (
        "Most active on",
        f"Fires without {row.best_concepts[0]}",
        "Most similar concepts",
        "Activations",
    ):
        assert heading in text
    assert f"{row.heldout_correlation:.3f}" in text
    with pytest.raises(UsageError, match=r"ends in \.html"):
        write_unit_page(run, row, tmp_path / "unit.pdf")
