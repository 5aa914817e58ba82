"""Crops of the units that a report shows are where these units fire."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.dissection import crop_box, shown_images, shown_units, unit_rows
from lumiscope.images import ImageSet
from lumiscope.memo import Memo
from lumiscope.models import TorchModel
from lumiscope.runs import ProbingImageRow, ShownUnitRow, UnitCropRow, UnitRow
from lumiscope.study import DissectConfig, Dissecting, RunConfig, dissect
from lumiscope.study.stage import Tables, run_stage
from lumiscope.testing import fake_row


@pytest.fixture
def units(tiny: TorchModel, pictures: ImageSet) -> list[UnitRow]:
    return unit_rows(dissect(tiny, pictures, layers=["1", "4"], scorer="table:scores.npz", similarity="cos"))


def crops(model: TorchModel, images: ImageSet, units: list[UnitRow], shown: list[ShownUnitRow]) -> list[UnitCropRow]:
    """What the stage writes."""
    study = Dissecting.of(model, images, DissectConfig(), run=RunConfig(), memo=Memo()).study
    tables = Tables()
    tables.write(ProbingImageRow, [fake_row(ProbingImageRow, image=item.id) for item in images])
    tables.write(UnitRow, units)
    tables.write(ShownUnitRow, shown)
    run_stage("unit_crops", study, tables)
    return list(tables.rows(UnitCropRow))


def test_every_shown_unit_is_cropped_to_where_it_fires(
    tiny: TorchModel, pictures: ImageSet, units: list[UnitRow]
) -> None:
    rows = crops(tiny, pictures, units, shown_units(units))
    items = {item.id: item for item in pictures}
    unit_of = {(unit.layer, unit.unit): unit for unit in units}
    shown = [unit_of[row.layer, row.unit] for row in shown_units(units) if row.layer == "1"]
    expected = {}
    for unit in shown:
        for name in shown_images(unit):
            with torch.no_grad():
                unit_map = tiny.module[:2](tiny.inputs([tiny.view(items[name])]))[0, unit.unit].numpy()
            box = np.array(crop_box(unit_map, (32, 32))) / 32
            if box.tolist() != [0, 0, 1, 1]:
                expected[unit.unit, name] = box.tolist()
    assert {(row.unit, row.image): [row.left, row.top, row.right, row.bottom] for row in rows} == expected
    assert expected  # the layer "4" has vectors and no maps
    assert list(expected) == [(row.unit, row.image) for row in rows], "in the order in which they are shown"
    assert {(row.model, row.layer) for row in rows} == {(tiny.name, "1")}


def test_only_what_is_shown_is_cropped(tiny: TorchModel, pictures: ImageSet, units: list[UnitRow]) -> None:
    first, *_ = shown_units(units)
    assert {row.unit for row in crops(tiny, pictures, units, [first])} == {first.unit}
    assert crops(tiny, pictures, units, []) == []
