"""Maps of chosen units on chosen images."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from lumiscope.errors import ImageError, StoreError, UnknownNameError
from lumiscope.images import ImageItem, ImageSet
from lumiscope.memo import Memo
from lumiscope.models import TorchModel
from lumiscope.store import Store
from lumiscope.study.stages import unit_maps as module
from lumiscope.study.stages.unit_maps import UnitMaps

WANTED = {6: [4], 0: [4, 1], 3: [4, 1], 5: [0]}
"""Place of an image -> units."""


def wanted(pictures: ImageSet, places: Mapping[int, Sequence[int]] = WANTED) -> dict[ImageItem, Sequence[int]]:
    return {pictures[place]: units for place, units in places.items()}


def plain(model: TorchModel, item: ImageItem, unit: int) -> np.ndarray:
    with torch.no_grad():
        return model.module[:2](model.inputs([model.view(item)]))[0, unit].numpy()


def passes_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the images that are looked at from now on."""
    seen: list[str] = []
    probe_images = module.probe_images

    @functools.wraps(probe_images)  # it counts as the code that makes the maps
    def counting(model: TorchModel, items: list[ImageItem], probes: object) -> object:
        seen.extend(item.id for item in items)
        return probe_images(model, items, probes)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "probe_images", counting)
    return seen


def test_maps_are_those_of_the_layer(tiny: TorchModel, pictures: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = passes_of(monkeypatch)
    maps = UnitMaps(tiny, "1", Memo())
    maps.compute(wanted(pictures))
    assert seen == [pictures[place].id for place in WANTED], "each image once, whatever the number of its units"
    for item, units in wanted(pictures).items():
        for unit in units:
            values = maps.get(item, unit)
            assert (values.dtype, values.shape) == (np.float32, (16, 16))
            np.testing.assert_allclose(values, plain(tiny, item, unit), rtol=1e-5, atol=1e-6)
    with pytest.raises(StoreError):
        maps.get(pictures[6], 1)


def test_what_is_kept_is_not_looked_at_again(
    tiny: TorchModel, pictures: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def maps(layer: str) -> UnitMaps:
        return UnitMaps(tiny, layer, Memo(Store(tmp_path / "store")))

    first = maps("1")
    first.compute(wanted(pictures))
    seen = passes_of(monkeypatch)
    again, more = maps("1"), wanted(pictures, {**WANTED, 3: [4, 1, 5]})
    assert again.lacking(pictures[3], [4, 1, 5]) == [5]
    again.compute(more)
    assert seen == [pictures[3].id]
    for item, units in wanted(pictures).items():
        for unit in units:
            np.testing.assert_array_equal(again.get(item, unit), first.get(item, unit))
    np.testing.assert_allclose(again.get(pictures[3], 5), plain(tiny, pictures[3], 5), rtol=1e-5, atol=1e-6)
    other = maps("0")
    other.compute(wanted(pictures))
    assert (other.get(pictures[6], 4) < 0).any(), "before the ReLU: another layer has maps of its own"


def test_an_image_that_fails_is_an_error(tiny: TorchModel, pictures: ImageSet) -> None:
    """The engine tries each image alone then."""
    maps = UnitMaps(tiny, "1", Memo())
    pictures[3].path.write_bytes(b"no picture any more")
    with pytest.raises(ImageError):
        maps.compute(wanted(pictures))


def test_layers_without_maps_and_layers_that_are_none(tiny: TorchModel, pictures: ImageSet) -> None:
    vectors = UnitMaps(tiny, "4", Memo())
    assert not vectors.has_maps
    vectors.compute(wanted(pictures))
    with pytest.raises(StoreError):
        vectors.get(pictures[6], 4)
    with pytest.raises(UnknownNameError, match="layer"):
        UnitMaps(tiny, "9", Memo())
