"""Units are found by all that a user may ask, and mistakes are told with what would be right."""

from __future__ import annotations

import pytest

from lumiscope.errors import LumiscopeError
from lumiscope.runs import UnitQuery, UnitRow, find_units
from lumiscope.testing import fake_row

ROWS = [
    ("a", "layer1", 0, "red", (), "colour"),
    ("a", "layer1", 1, "fish", ("red",), "animal"),
    ("a", "layer4", 0, "goldfish, Carassius auratus", ("fish",), "animal"),
    ("a", "layer4", 1, "fish", (), "animal"),
    ("a", "layer4", 2, None, (), None),
    ("b", "layer4", 1, "jellyfish", (), "animal"),
]


@pytest.fixture
def units() -> list[UnitRow]:
    names = ("model", "layer", "unit", "label", "further_labels", "category")
    return [fake_row(UnitRow, **dict(zip(names, row, strict=True))) for row in ROWS]


def addresses(units: list[UnitRow], **query: object) -> list[tuple[str, str, int]]:
    return [(row.model, row.layer, row.unit) for row in find_units(units, UnitQuery(**query))]


def test_labels_come_before_further_labels(units) -> None:
    assert addresses(units, concept="Fish") == [("a", "layer1", 1), ("a", "layer4", 1), ("a", "layer4", 0)]
    assert addresses(units, concept="red") == [("a", "layer1", 0), ("a", "layer1", 1)]


def test_wildcards_and_synonyms(units) -> None:
    assert addresses(units, concept="*fish") == [
        ("a", "layer1", 1),
        ("a", "layer4", 0),
        ("a", "layer4", 1),
        ("b", "layer4", 1),
    ]
    assert addresses(units, concept="goldfish") == [("a", "layer4", 0)]
    assert addresses(units, concept="fish", layer="*4") == [("a", "layer4", 1), ("a", "layer4", 0)]


def test_one_unit_a_category_and_no_label(units) -> None:
    assert addresses(units, unit="layer4:1") == [("a", "layer4", 1), ("b", "layer4", 1)]
    assert addresses(units, unit="1", model="a", layer="layer1") == [("a", "layer1", 1)]
    assert addresses(units, category="colour") == [("a", "layer1", 0)]
    assert addresses(units, no_label=True) == [("a", "layer4", 2)]
    assert len(addresses(units)) == 6


def test_a_layer_address_may_hold_what_is_no_letter() -> None:
    units = [fake_row(UnitRow, model="a", layer="blocks.11@class", unit=3)]
    assert addresses(units, unit="blocks.11@class:3") == [("a", "blocks.11@class", 3)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"concept": "fsh"}, "unknown label 'fsh': did you mean fish"),
        ({"concept": "red", "layer": "layer4", "model": "b"}, "unknown label 'red': known: jellyfish"),
        ({"layer": "layer5"}, "unknown layer 'layer5': did you mean layer"),
        ({"model": "c"}, "unknown model 'c': known: a, b"),
        ({"category": "animl"}, "unknown category 'animl': did you mean animal"),
        ({"unit": "layer4:9"}, r"no unit 9: .* layer4 of a 0 to 2, layer4 of b 0 to 1"),
        ({"unit": "layer4:x"}, r"LAYER:NUMBER \(layer4:447\) or a number; got 'layer4:x'"),
        ({"unit": "layer4:1", "layer": "layer1"}, "leave out --layer"),
        ({"no_label": True, "concept": "red"}, "leave out one or the other"),
        ({"concept": "red", "unit": "layer4:2"}, "no unit here has a label"),
    ],
)
def test_mistakes_are_told(units, query: dict[str, object], said: str) -> None:
    with pytest.raises(LumiscopeError, match=said):
        addresses(units, **query)


def test_a_run_without_units_says_so() -> None:
    with pytest.raises(LumiscopeError, match="no units"):
        addresses([])
