"""Crops of the units that a report shows are where these units fire."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from lumiscope.dissection import shown_images, shown_units
from lumiscope.dissection.crops import crop_box
from lumiscope.images import ImageSet
from lumiscope.models import TorchModel
from lumiscope.study import dissect
from lumiscope.study.unit_crops import crops_of_shown


@pytest.fixture
def units(tiny: TorchModel, pictures: ImageSet) -> pa.Table:
    return dissect(tiny, pictures, layers=["1", "4"], scorer="table:scores.npz", similarity="cos").to_table()


def test_every_shown_unit_is_cropped_to_where_it_fires(tiny: TorchModel, pictures: ImageSet, units: pa.Table) -> None:
    rows = crops_of_shown(tiny, pictures, units)
    items = {item.id: item for item in pictures}
    shown = [row for row in shown_units(units.to_pylist()) if row["layer"] == "1"]
    expected = {}
    for row in shown:
        for name in shown_images(row):
            inputs = tiny.inputs([tiny.view(items[name])])
            with torch.no_grad():
                unit_map = tiny.module[:2](inputs)[0, row["unit"]].numpy()
            box = np.array(crop_box(unit_map, (32, 32))) / 32
            if box.tolist() != [0, 0, 1, 1]:
                expected[row["unit"], name] = box.tolist()
    found = {(row["unit"], row["image"]): [row[end] for end in ("left", "top", "right", "bottom")] for row in rows}
    assert found == expected
    assert found  # the layer "4" has vectors and no maps
    assert {(row["model"], row["layer"]) for row in rows} == {(tiny.name, "1")}


def test_units_of_another_model_are_left_alone(tiny: TorchModel, pictures: ImageSet, units: pa.Table) -> None:
    others = units.set_column(0, "model", [["another"] * len(units)])
    assert crops_of_shown(tiny, pictures, others) == []
