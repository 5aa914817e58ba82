"""The searchable table of all units: the page's script reads it by the names of the columns."""

from __future__ import annotations

import json
import math
import re
from enum import StrEnum

import pytest

from lumiscope.report.registry import SECTIONS
from lumiscope.report.sections.dissection.unit_table import COLUMNS
from lumiscope.runs import UnitRow, table_of

SCRIPT = SECTIONS["dissection"].script


@pytest.fixture
def data(page):
    return json.loads(re.search(r'id="unit-data">(.*?)</script>', page.source, re.S)[1])


def test_all_units_are_in_the_table_with_all_their_values(data, run):
    rows = run.rows(UnitRow)
    assert len(rows) == 120
    declared = {column.name: column for column in table_of(UnitRow).columns}

    def text(place):
        return None if place is None else data["words"][place]

    for name in COLUMNS:
        values = data["columns"][name]
        expected = [getattr(row, name) for row in rows]
        column = declared[name]
        if column.is_list:
            assert [tuple(map(text, places)) for places in values] == expected
        elif issubclass(column.kind, (str, StrEnum)):
            assert [text(place) for place in values] == expected
        elif column.kind is int:
            assert values == expected
        else:
            for shown, value in zip(values, expected, strict=True):
                assert (shown is None) == math.isnan(value)
                assert shown is None or math.isclose(shown, value, rel_tol=1e-3)
    assert list(data["columns"]) == list(COLUMNS)


def test_every_name_that_the_script_uses_is_a_column(page):
    used = set(re.findall(r"\bcolumns\.(\w+)", SCRIPT))
    orders = [option for option in page.of("option") if option.get("data-order")]
    assert used == set(COLUMNS)
    assert {option["value"] for option in orders} <= used
    assert {option["data-order"] for option in orders} == {"ascending", "descending"}
    assert set(COLUMNS) <= {column.name for column in table_of(UnitRow).columns}


def test_every_name_that_the_script_sorts_by_is_one_that_it_gives_a_unit(page):
    given = set(re.findall(r"^    (\w+):", SCRIPT, re.MULTILINE))
    assert {option["value"] for option in page.of("option") if option.get("data-order")} <= given


def test_the_script_counts_no_columns():
    assert not re.findall(r"\b(?:row|unit|columns\.\w+)\[\d+\]", SCRIPT)
