from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from lumiscope.dissection.network_dissection import NETWORK_DISSECTION_SCHEMA
from lumiscope.report.embed import Thumbnails
from lumiscope.report.environment import environment
from lumiscope.report.network_dissection import SHOWN, network_dissection_of
from lumiscope.report.palette import category_colour
from lumiscope.study import SCHEMAS


def row(layer: str, unit: int, concept: str | None, category: str | None, iou: float, **others: object) -> dict:
    known = {"model": "objects", "layer": layer, "unit": unit, "concept": concept, "category": category, "iou": iou}
    facts = {"threshold": 1.0, "detector": iou >= 0.04, "p_value": 0.001, "q_value": 0.01, "reason": ""}
    formula = {"formula": None, "formula_iou": None, "heldout_iou": None, "heldout_word_iou": None}
    return {**known, **facts, **formula, **others}


ROWS = [
    row("stage1", 0, "red", "colour", 0.2),
    row("stage1", 1, "red", "colour", 0.1, q_value=0.2),
    row("stage1", 2, None, None, float("nan"), reason="dead: 0 at every position", detector=False),
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


def fake(rows: list[dict]) -> SimpleNamespace:
    """A run with this table alone."""
    own = pa.Table.from_pylist(rows, schema=NETWORK_DISSECTION_SCHEMA)
    return SimpleNamespace(table=lambda name: own if name == "network_dissection" else empty(name))


def empty(name: str) -> pa.Table:
    return SCHEMAS[name].empty_table() if name in SCHEMAS else pa.table({})


def test_counts_are_those_of_the_table() -> None:
    section = network_dissection_of(fake(ROWS), Thumbnails())
    (model,) = section.models
    first, last = model.layers
    assert (first.units, first.detectors, first.unique, first.significant, first.left_out) == (
        3,
        2,
        1,
        1,
        (("dead", 1),),
    )
    assert (last.units, last.detectors, last.unique, last.formulas) == (5, 4, 3, 1)
    assert {p.category.name: (p.detectors, p.unique) for p in last.pieces if p.unique} == {
        **{"object": (2, 1), "scene": (1, 1), "my own kind": (1, 1)}
    }
    assert [(d.concept, d.unit, d.units, d.iou) for d in last.best][:2] == [("fish", 3, 2, 0.5), ("sea", 1, 1, 0.06)]
    assert sum(piece.width for piece in last.pieces) == pytest.approx(1), "the layer with the most fills the bar"
    assert sum(piece.width for piece in first.pieces) == pytest.approx(1 / 3)
    assert [category.name for category in section.legend] == ["colour", "object", "scene", "my own kind"]
    colours = {category.name: category.colour for category in section.legend}
    assert colours["scene"] == category_colour("place"), "scenes are places elsewhere in the report"
    assert len(set(colours.values())) == 4


def test_kinds_stand_in_the_order_of_the_categories() -> None:
    section = network_dissection_of(fake(ROWS[::-1]), Thumbnails())
    assert [category.name for category in section.legend] == ["colour", "object", "scene", "my own kind"]


def test_nothing_where_there_is_no_table() -> None:
    assert not network_dissection_of(fake([]), Thumbnails())


def test_the_page_has_every_count_and_escapes_words() -> None:
    section = network_dissection_of(fake(ROWS), Thumbnails())
    page = environment().get_template("network_dissection.html.j2").render(network_dissection=section)
    assert "3 unique detectors, 4 of 5 units" in page
    assert "1 unique detector, 2 of 3 units" in page
    assert "fin &lt;b&gt;" in page
    assert page.count("<table") == page.count("</table>") == 3
    assert "stage5:3" in page


def test_long_lists_are_cut_and_say_so() -> None:
    rows = [row("stage5", unit, f"word {unit}", "object", 0.1 + unit / 1000) for unit in range(SHOWN + 7)]
    section = network_dissection_of(fake(rows), Thumbnails())
    (layer,) = section.models[0].layers
    assert (len(layer.best), layer.unique) == (SHOWN, SHOWN + 7)
    page = environment().get_template("network_dissection.html.j2").render(network_dissection=section)
    assert f"{SHOWN} of {SHOWN + 7} concepts" in page
