from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum

import pyarrow as pa
import pytest

from lumiscope.runs import TABLES, ImageRow, UnitRow, as_json, column, table, table_of, to_arrow
from lumiscope.testing import fake_row

HEAVY = ("torch", "timm", "openvino", "matplotlib", "PIL", "scipy")


class Colour(StrEnum):
    RED = "dark red"


@table("fruit", "each fruit", kept=False)
class FruitRow:
    """A fruit."""

    name: str = column("what it is called")
    weight: float = column("how heavy it is", unit="g", low=0)
    seeds: int | None = column("how many seeds; null where nobody counted", arrow=pa.int32())
    ripe: bool = column("whether it can be eaten")
    colour: Colour | None = column("its colour")
    kinds: tuple[str, ...] = column("its kinds")
    user_columns: Mapping[str, str | None] = dataclasses.field(default_factory=dict)


APPLE = FruitRow(
    name="apple",
    weight=150.0,
    seeds=None,
    ripe=True,
    colour=Colour.RED,
    kinds=("gala", "fuji"),
    user_columns={"tree": "a"},
)
PLUM = FruitRow(name="plum", weight=math.nan, seeds=1, ripe=False, colour=None, kinds=())


def test_the_schema_follows_from_the_types() -> None:
    assert table_of(FruitRow).schema == pa.schema(
        [
            ("name", pa.string()), ("weight", pa.float64()), ("seeds", pa.int32()), ("ripe", pa.bool_()),
            ("colour", pa.string()), ("kinds", pa.list_(pa.string())),
        ]
    )  # fmt: skip


def test_rows_come_back_from_arrow_as_they_were_with_columns_of_the_users_own() -> None:
    stored = to_arrow(FruitRow, [APPLE, PLUM])
    assert stored["colour"].to_pylist() == ["dark red", None]
    assert stored["kinds"].to_pylist() == [["gala", "fuji"], []]
    assert stored["tree"].to_pylist() == ["a", None]
    apple, plum = table_of(FruitRow).rows(stored)
    assert apple == APPLE
    assert type(apple.colour) is Colour
    assert math.isnan(plum.weight)
    assert plum.user_columns == {"tree": None}
    assert to_arrow(FruitRow, []).num_rows == 0


def test_a_row_as_json() -> None:
    assert as_json(APPLE) == {
        "name": "apple", "weight": 150.0, "seeds": None, "ripe": True, "colour": "dark red", "kinds": ["gala", "fuji"],
        "tree": "a",
    }  # fmt: skip


def test_what_a_table_lacks_is_named_and_so_is_a_column_of_another_type() -> None:
    stored = to_arrow(FruitRow, [APPLE]).drop_columns(["weight"])
    stored = stored.set_column(0, "name", pa.array([1]))
    assert table_of(FruitRow).lacking(stored) == ["name", "weight"]
    assert table_of(FruitRow).lacking(to_arrow(FruitRow, [APPLE])) == []


def test_a_column_that_is_missing_or_unknown_is_an_error() -> None:
    with pytest.raises(TypeError, match="weight"):
        FruitRow(name="x", seeds=None, ripe=True, colour=None, kinds=())  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="two tables are called units"):
        table("units", "again")(type("Again", (), {}))


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_what_its_rows_and_columns_are_and_can_be_faked(name: str) -> None:
    declared = TABLES[name]
    assert declared.doc
    assert declared.row.__doc__
    for table_column in declared.columns:
        assert table_column.doc, table_column.name
        assert table_column.low is None or table_column.high is None or table_column.low < table_column.high
    row = fake_row(declared.row)
    assert declared.rows(to_arrow(declared.row, [row])) == [row]


def test_a_fake_row_has_what_is_given_and_the_plainest_values_else() -> None:
    unit = fake_row(UnitRow, unit=7, label="fish")
    assert (unit.unit, unit.label, unit.category, unit.layer, unit.score) == (7, "fish", None, "layer", 0.0)
    assert fake_row(ImageRow).width == 1  # the least that an image has
    with pytest.raises(TypeError, match="colour"):
        fake_row(UnitRow, colour="red")


def test_the_reading_side_needs_no_torch() -> None:
    code = f"import sys, lumiscope.runs; print([name for name in {HEAVY} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_columns_of_the_users_own_take_no_place_of_ours() -> None:
    columns = {"width": "narrow", "sha256": "mine", "user_sha256": "yours", "wnid": "n1"}
    assert table_of(ImageRow).named_apart(columns) == {
        "user_width": "narrow",
        "user_user_sha256": "mine",
        "user_sha256": "yours",
        "wnid": "n1",
    }
