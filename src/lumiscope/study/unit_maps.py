"""Maps of chosen units on chosen images, which show where a unit fires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from lumiscope.dissection import Probe, map_probe
from lumiscope.errors import UsageError
from lumiscope.images import ImageItem, ImageSet, Skipped, draw_world_images
from lumiscope.models import TorchModel
from lumiscope.models.unit_pooling import find_layer
from lumiscope.progress import Steps, Track, silent
from lumiscope.store import Store
from lumiscope.study.attempts import attempt
from lumiscope.study.probe_images import probe_images
from lumiscope.types import FloatArray

SHARD = 128
VERSION = 1  # raised whenever maps are read otherwise


def top_image_maps(
    model: TorchModel,
    images: ImageSet,
    layer: str,
    wanted: Mapping[int, Sequence[int]],
    *,
    store: Store | None = None,
    track: Track = silent,
) -> dict[int, FloatArray]:
    """The units' maps on the images that are asked for: unit -> (n, h, w) float32, in the order of its images.

    `layer`: its address. `wanted`: unit -> indices of images; those below 0, which stand for no image, are left out.
    Each image that is asked for is looked at once, whatever number of units need it. A map is NaN where its image
    failed. Nothing comes for layers without maps (vectors, class tokens).
    `store`: where maps are kept, by unit and image; None: nowhere. Errors: `UnknownNameError`, `LayerError`.
    """
    probe = map_probe(model, layer)
    if probe is None:
        return {}
    found = find_layer(model, layer)
    _check_units(wanted, layer, found.units)
    chosen = {unit: [index for index in some if index >= 0] for unit, some in wanted.items()}
    # sorted by image, as shards are planned and read
    pairs = sorted({(index, unit) for unit, some in chosen.items() for index in some})
    maps: _Results = _Kept(store, model, layer) if store else {}
    lacking: dict[str, list[int]] = {}
    for index, unit in pairs:
        if _key(images[index], unit) not in maps:
            lacking.setdefault(images[index].id, []).append(unit)
    _fill(model, [item for item in images if item.id in lacking], probe, lacking, maps, track)
    blank = np.full(found.map_layout.grid, np.nan, np.float32)
    read = {(index, unit): maps.get(_key(images[index], unit), blank) for index, unit in pairs}
    return {
        unit: np.stack([read[index, unit] for index in some]) if some else np.zeros((0, *blank.shape), np.float32)
        for unit, some in chosen.items()
    }


class _Results(Protocol):
    """Maps by `_key`; a dict, or what is in the store."""

    def __contains__(self, key: str, /) -> bool: ...
    def get(self, key: str, default: FloatArray, /) -> FloatArray:
        """The map, or `default`."""
        ...

    def update(self, maps: dict[str, FloatArray], /) -> None:
        """Keep more maps."""
        ...


class _Kept:
    """Maps in the store; those that are kept together make a shard."""

    def __init__(self, store: Store, model: TorchModel, layer: str) -> None:
        scope = {"model": model.fingerprint, "layer": layer, "device": model.device.type, "version": VERSION}
        self._collection = store.collection("unit_maps", scope)

    def __contains__(self, key: str) -> bool:
        return key in self._collection

    def get(self, key: str, default: FloatArray) -> FloatArray:
        return self._collection.get(key)["map"] if key in self._collection else default

    def update(self, maps: dict[str, FloatArray]) -> None:
        self._collection.put({key: {"map": one} for key, one in maps.items()})


def _key(item: ImageItem, unit: int) -> str:
    return f"{item.sha256}:{unit}"


def _check_units(units: Iterable[int], layer: str, count: int) -> None:
    unknown = [unit for unit in units if not 0 <= unit < count]
    if unknown:
        raise UsageError(f"expected units of {layer} from 0 to {count - 1}, as it has {count}; got {unknown[0]}")


def _fill(
    model: TorchModel,
    items: Sequence[ImageItem],
    probe: Probe,
    lacking: Mapping[str, Sequence[int]],
    maps: _Results,
    track: Track,
) -> None:
    """Look at `items` and keep the maps of the units that each of them lacks, by its id."""
    draw_world_images(items, track=track)

    def work(shard: Sequence[ImageItem]) -> dict[str, FloatArray]:
        return {
            _key(item, unit): row[unit].copy()
            for batch, found in probe_images(model, shard, {"maps": probe})
            for item, row in zip(batch, found["maps"], strict=True)
            for unit in lacking[item.id]
        }

    failed: list[Skipped] = []
    shards = [items[start : start + SHARD] for start in range(0, len(items), SHARD)]
    done = 0
    with Steps(track, f"maps of {model.name}", len(items)) as steps:
        for shard, made in attempt(shards, work, failed, stop=False):
            maps.update(made)
            done += len(shard)
            steps.reach(done)
