"""Pooled activations over the probing images: kept by image, handed out a layer at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lumiscope.columns import Columns, columns_from
from lumiscope.dissection import unit_probe
from lumiscope.images import DECODERS, ImageItem
from lumiscope.memo import Memo, Results
from lumiscope.models import TorchModel
from lumiscope.study.stages.probe_images import probe_images
from lumiscope.types import FloatArray

SHARD = 128


class StoredActivations(Mapping[str, Columns]):
    """Layer address -> (D, U) float32 pooled activations of `items`, read when asked for: hold one at a time.

    `pooling`: "mean" or "max". Memory does not depend on the number of images. `folder`: for a large matrix while it is
    read. Errors: `UnknownNameError`, `LayerError`.
    """

    def __init__(
        self,
        model: TorchModel,
        layers: Sequence[str],
        pooling: str,
        items: Sequence[ImageItem],
        memo: Memo,
        folder: Path | None = None,
    ) -> None:
        self._model = model
        self._probes = {layer: unit_probe(model, layer, pooling) for layer in layers}
        self._items = items
        self._folder = folder
        self._results: dict[str, Results] = {
            layer: memo.results(
                "activations",
                {"model": model.fingerprint, "layer": layer, "pooling": pooling, "device": model.device.type},
                made_by=[unit_probe, probe_images, *DECODERS],
            )
            for layer in layers
        }

    def location(self, layer: str) -> str:
        """Where the rows of a layer lie: differs wherever they would be others."""
        return self._results[layer].location

    def lacking(self) -> list[ImageItem]:
        """The images of which some layer has no row yet."""
        missing = {key for results in self._results.values() for key in results.missing(self._keys)}
        return [item for item, key in zip(self._items, self._keys, strict=True) if key in missing]

    def compute(self) -> None:
        """Compute the rows that are missing, in one pass, and keep them as one shard a layer."""
        missing = {layer: set(results.missing(self._keys)) for layer, results in self._results.items()}
        lacking = {layer: keys for layer, keys in missing.items() if keys}
        wanted = self.lacking()
        if not wanted:
            return
        batches = list(probe_images(self._model, wanted, {layer: self._probes[layer] for layer in lacking}))
        for layer in lacking:
            rows = np.concatenate([read[layer] for _, read in batches])
            pairs = zip(wanted, rows, strict=True)
            kept = {item.sha256: {"values": row} for item, row in pairs if item.sha256 in missing[layer]}
            self._results[layer].put(kept)

    def __getitem__(self, layer: str) -> Columns:
        return columns_from(self._blocks(layer), len(self._items), self._folder)

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    @property
    def _keys(self) -> list[str]:
        return [item.sha256 for item in self._items]

    def _blocks(self, layer: str) -> Iterator[FloatArray]:
        for start in range(0, len(self._items), SHARD):
            keys = self._keys[start : start + SHARD]
            rows = self._results[layer].get_all(keys)
            yield np.stack([rows[key]["values"] for key in keys])
