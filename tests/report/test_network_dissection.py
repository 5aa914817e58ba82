from __future__ import annotations

from pathlib import Path

import pytest

from lumiscope.report._palette import category_colour
from lumiscope.report._thumbnails import Thumbnails
from lumiscope.report.page import Page
from lumiscope.report.sections.network_dissection.detectors import SHOWN
from lumiscope.report.sections.network_dissection.section import network_dissection
from lumiscope.runs import NetworkDissectionRow, Reason, UnitRow
from lumiscope.testing import fake_row

NAN = float("nan")


def row(
    layer: str, unit: int, concept: str | None, category: str | None, iou: float, **others: object
) -> NetworkDissectionRow:
    known = {"model": "objects", "layer": layer, "unit": unit, "concept": concept, "category": category, "iou": iou}
    facts = {"threshold": 1.0, "detector": iou >= 0.04, "p_value": 0.001, "q_value": 0.01}
    return fake_row(NetworkDissectionRow, **{**known, **facts, **others})


ROWS = [
    row("stage1", 0, "red", "colour", 0.2),
    row("stage1", 1, "red", "colour", 0.1, q_value=0.2),
    row("stage1", 2, None, None, NAN, reason=Reason.DEAD, reason_detail="0 at every position", detector=False),
    row(
        "stage5",
        0,
        "fish",
        "object",
        0.3,
        formula="fish and not sea",
        formula_iou=0.4,
        heldout_iou=0.35,
        heldout_word_iou=0.3,
    ),
    row("stage5", 1, "sea", "scene", 0.06),
    row("stage5", 2, "fin", "part", 0.03),
    row("stage5", 3, "fish", "object", 0.5),
    row("stage5", 4, "fin <b>", "my own kind", 0.05),
]


@pytest.fixture
def run_of(fakes, tmp_path: Path):
    """A run with these rows alone."""

    def run(rows: list[NetworkDissectionRow]):
        only = fakes.fake_run(tmp_path, explained=False, dissected=False, concluded=False)
        only.tables = {NetworkDissectionRow: rows}
        return only

    return run


@pytest.fixture
def content_of(run_of):
    return lambda rows: network_dissection(Page(run_of(rows), Thumbnails()))


def test_counts_are_those_of_the_table(content_of) -> None:
    content = content_of(ROWS)
    first, last = content.models["objects"]
    assert (first.units, first.detectors, first.concepts, first.significant) == (3, 2, 1, 1)
    assert first.left_out == {Reason.DEAD: 1}
    assert (last.units, last.detectors, last.concepts, last.formulas) == (5, 4, 3, 1)
    assert {kind.name: (count.units, count.concepts) for kind, count in last.counts.items() if count.concepts} == {
        **{"object": (2, 1), "scene": (1, 1), "my own kind": (1, 1)}
    }
    best = [(detector.row.concept, detector.row.unit, detector.units, detector.row.iou) for detector in last.best]
    assert best[:2] == [("fish", 3, 2, 0.5), ("sea", 1, 1, 0.06)]
    widths = [sum(piece.width for piece in layer.bar.pieces) for layer in (first, last)]
    assert widths == pytest.approx([1 / 3, 1]), "the layer with the most fills the bar"
    assert [category.name for category in content.legend] == ["colour", "object", "scene", "my own kind"]
    colours = {category.name: category.colour for category in content.legend}
    assert colours["scene"] == category_colour("place"), "scenes are places elsewhere in the report"
    assert len(set(colours.values())) == 4


def test_kinds_stand_in_the_order_of_the_categories(content_of) -> None:
    legend = content_of(ROWS[::-1]).legend
    assert [category.name for category in legend] == ["colour", "object", "scene", "my own kind"]


def test_nothing_where_there_is_no_table(run_of, read) -> None:
    assert "Network Dissection" not in read(run_of([])).text


def test_the_page_has_every_count_and_escapes_words(run_of, read) -> None:
    page = read(run_of(ROWS))
    assert "3 unique detectors, 4 of 5 units" in page.text
    assert "1 unique detector, 2 of 3 units" in page.text
    assert "fin <b>" in page.text
    assert "fin <b>" not in page.source
    assert "stage5:3" in page.text
    assert not page.unbalanced
    assert [header[0] for header, *_ in page.tables] == ["Layer", "Concept", "Concept"]
    (counts,) = page.rows("Layer", "Units", "Detectors")
    assert counts == [
        ["stage1", "3", "2", "1", "0", "1", "1", "0", "0", "0", "1 dead"],
        ["stage5", "5", "4", "4", "1", "3", "0", "1", "1", "1", ""],
    ]
    assert '<a href="#network-dissection">Detectors</a>' in page.source


def test_detectors_have_the_pictures_of_the_same_units(run_of, fakes, content_of, tmp_path) -> None:
    run = run_of([row("stage4", 5, "fish", "object", 0.5), row("stage4", 6, "dog", "object", 0.4)])
    dissected = fakes.fake_run(tmp_path)
    run.probing = dissected.probing
    unit = next(row for row in dissected.rows(UnitRow) if (row.layer, row.unit) == ("stage4", 5))
    run.tables[UnitRow] = [unit]
    first, second = network_dissection(Page(run)).models["objects"][0].best
    assert [picture.image for picture in first.pictures] == list(unit.top_images[:4])
    assert second.pictures == ()


def test_long_lists_are_cut_and_say_so(run_of, content_of, read) -> None:
    rows = [row("stage5", unit, f"word {unit}", "object", 0.1 + unit / 1000) for unit in range(SHOWN + 7)]
    (layer,) = content_of(rows).models["objects"]
    assert (len(layer.best), layer.concepts) == (SHOWN, SHOWN + 7)
    assert f"{SHOWN} of {SHOWN + 7} concepts" in read(run_of(rows)).text
