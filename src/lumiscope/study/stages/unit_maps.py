"""Maps of chosen units on chosen images, which show where a unit fires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lumiscope.dissection import map_probe
from lumiscope.images import DECODERS, ImageItem
from lumiscope.memo import Memo
from lumiscope.models import TorchModel
from lumiscope.study.stages.probe_images import probe_images
from lumiscope.types import FloatArray

SHARD = 128


class UnitMaps:
    """The maps of one layer's units. `layer`: its address. Errors: `UnknownNameError`, `LayerError`."""

    def __init__(self, model: TorchModel, layer: str, memo: Memo) -> None:
        self._model = model
        self._probe = map_probe(model, layer)
        inputs = {"model": model.fingerprint, "layer": layer, "device": model.device.type}
        self._results = memo.results("unit_maps", inputs, made_by=[map_probe, probe_images, *DECODERS])

    @property
    def has_maps(self) -> bool:
        """Whether units have maps here; those of vectors and class tokens have none."""
        return self._probe is not None

    def lacking(self, item: ImageItem, units: Sequence[int]) -> list[int]:
        """Those of `units` whose map on an image is not kept."""
        return [unit for unit in units if _key(item, unit) not in self._results]

    def compute(self, wanted: Mapping[ImageItem, Sequence[int]]) -> None:
        """Look at each image once and keep the maps of its units that are missing."""
        lacking = {item: units for item, all_units in wanted.items() if (units := self.lacking(item, all_units))}
        if self._probe is None or not lacking:
            return
        maps = {
            _key(item, unit): {"map": row[unit].copy()}
            for batch, read in probe_images(self._model, list(lacking), {"maps": self._probe})
            for item, row in zip(batch, read["maps"], strict=True)
            for unit in lacking[item]
        }
        self._results.put(maps)

    def get(self, item: ImageItem, unit: int) -> FloatArray:
        """(h, w) float32. Errors: `StoreError` where it was not computed."""
        return self._results.get(_key(item, unit))["map"]


def _key(item: ImageItem, unit: int) -> str:
    return f"{item.sha256}:{unit}"
