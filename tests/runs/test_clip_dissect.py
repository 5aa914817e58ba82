"""The file that CLIP-Dissect's own tools read."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from lumiscope.dissection import UnitLabels, unit_rows
from lumiscope.runs import UnitRow, save_clip_dissect, save_clip_dissect_of_models, save_table, to_arrow

CONCEPTS = ("tench, Tinca tinca", 'so-called "red"')


@pytest.fixture
def units(unit_labels) -> list[UnitRow]:
    layer_labels = unit_labels.layer_labels
    first = layer_labels(
        "a",
        "layer4",
        [0, -1, -1],
        best=np.array([[0], [1], [-1]]),
        best_scores=np.array([[0.1 + 0.2], [-2.5], [np.nan]]),
    )
    layers = (first, layer_labels("b/c", "fc", [1]), layer_labels("b:c", "fc", [1]))
    return unit_rows(UnitLabels(layers, CONCEPTS, ("x", "y"), ("i",), "cos"))


def test_every_unit_is_described_as_clip_dissect_does(units: list[UnitRow], tmp_path: Path) -> None:
    save_clip_dissect(units[:3], tmp_path / "descriptions.csv")
    text = (tmp_path / "descriptions.csv").read_text()
    assert text.splitlines()[0] == "layer,unit,description,similarity"
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["description"] for row in rows] == [*CONCEPTS, ""]
    assert [row["unit"] for row in rows] == ["0", "1", "2"]
    assert float(rows[0]["similarity"]) == 0.1 + 0.2  # all digits
    assert (rows[1]["similarity"], rows[2]["similarity"]) == ("-2.5", "")


def test_a_file_for_every_model_whatever_its_name(units: list[UnitRow], tmp_path: Path) -> None:
    paths = save_clip_dissect_of_models(units, tmp_path)
    assert [path.name for path in paths] == ["a.csv", "b_c.csv", "b_c~2.csv"]
    assert [len(path.read_text().splitlines()) for path in paths] == [4, 2, 2]


def test_lists_of_numbers_are_text_in_a_csv(units: list[UnitRow], tmp_path: Path) -> None:
    save_table(to_arrow(UnitRow, units), tmp_path / "units.csv")
    (row, *_) = csv.DictReader((tmp_path / "units.csv").read_text().splitlines())
    assert row["histogram"] == "1|1|1|1"
    assert row["best_concepts"] == CONCEPTS[0]
    assert row["active_without"] == ""
