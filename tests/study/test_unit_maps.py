"""Maps of chosen units on chosen images."""

from __future__ import annotations

from pathlib import Path

import lumiscope.study.unit_maps as unit_maps
import numpy as np
import pytest
import torch
from lumiscope.study.unit_maps import top_image_maps

from lumiscope.errors import UsageError
from lumiscope.images import ImageItem, ImageSet
from lumiscope.models import TorchModel
from lumiscope.store import Store

WANTED = {4: [6, 0, 3], 1: [3], 2: [], 0: [-1, 5]}


def plain(model: TorchModel, item: ImageItem, unit: int) -> np.ndarray:
    with torch.no_grad():
        return model.module[:2](model.inputs([model.view(item)]))[0, unit].numpy()


def passes_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the images that are looked at from now on."""
    seen: list[str] = []
    probe_images = unit_maps.probe_images

    def counting(model: TorchModel, items: list[ImageItem], probes: object) -> object:
        seen.extend(item.id for item in items)
        return probe_images(model, items, probes)  # type: ignore[arg-type]

    monkeypatch.setattr(unit_maps, "probe_images", counting)
    return seen


@pytest.mark.parametrize("kept", [True, False])
def test_maps_are_those_of_the_layer(
    tiny: TorchModel, pictures: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    monkeypatch.setattr(unit_maps, "SHARD", 2)
    seen = passes_of(monkeypatch)
    maps = top_image_maps(tiny, pictures, "1", WANTED, store=Store(tmp_path / "store") if kept else None)
    assert seen == [pictures[index].id for index in (0, 3, 5, 6)]
    assert {unit: found.shape for unit, found in maps.items()} == {
        4: (3, 16, 16),
        1: (1, 16, 16),
        2: (0, 16, 16),
        0: (1, 16, 16),
    }
    for unit, found in maps.items():
        for index, values in zip([index for index in WANTED[unit] if index >= 0], found, strict=True):
            np.testing.assert_allclose(values, plain(tiny, pictures[index], unit), rtol=1e-5, atol=1e-6)
            assert values.dtype == np.float32


def test_what_is_kept_is_not_looked_at_again(
    tiny: TorchModel, pictures: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = top_image_maps(tiny, pictures, "1", WANTED, store=Store(tmp_path / "store"))
    seen = passes_of(monkeypatch)
    again = top_image_maps(tiny, pictures, "1", {**WANTED, 5: [3]}, store=Store(tmp_path / "store"))
    assert seen == [pictures[3].id]
    for unit in WANTED:
        np.testing.assert_array_equal(again[unit], first[unit])
    np.testing.assert_allclose(again[5][0], plain(tiny, pictures[3], 5), rtol=1e-5, atol=1e-6)
    other = top_image_maps(tiny, pictures, "0", WANTED, store=Store(tmp_path / "store"))
    assert (other[4] < 0).any(), "before the ReLU: another layer has maps of its own"


def test_an_image_that_fails_has_a_map_of_nan(tiny: TorchModel, pictures: ImageSet) -> None:
    pictures[3].path.write_bytes(b"no picture any more")
    maps = top_image_maps(tiny, pictures, "1", WANTED)
    assert np.isnan(maps[1]).all()
    assert [bool(np.isnan(one).any()) for one in maps[4]] == [False, False, True]


def test_a_layer_without_maps_has_none(tiny: TorchModel, pictures: ImageSet) -> None:
    assert top_image_maps(tiny, pictures, "4", {0: [1]}) == {}


def test_units_that_do_not_exist(tiny: TorchModel, pictures: ImageSet) -> None:
    with pytest.raises(UsageError, match="units of 1 from 0 to 5, as it has 6; got 6"):
        top_image_maps(tiny, pictures, "1", {6: [0]})
