"""Pooled activations over the probing images: computed once, kept by image, handed out a layer at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lumiscope.columns import Columns, columns_from
from lumiscope.dissection import Probe, unit_probe
from lumiscope.images import ImageItem, ImageSet, Skipped, WorldImage, draw_world_images
from lumiscope.models import TorchModel
from lumiscope.progress import Steps, Track, silent
from lumiscope.store import Store
from lumiscope.study.attempts import attempt
from lumiscope.study.probe_images import probe_images
from lumiscope.types import FloatArray

SHARD = 128
VERSION = 1  # raised whenever activations are read or pooled otherwise


class StoredActivations(Mapping[str, Columns]):
    """Layer address -> (D, U) float32 pooled activations, made ready when they are asked for: hold one at a time.

    `images`: the D probing images. `skipped`: those that could not be read or run any more; they have no row in any
    layer, so whatever else belongs to the images must be asked for over `images`.
    """

    def __init__(
        self, images: ImageSet, skipped: Sequence[Skipped], sources: Mapping[str, _Rows], folder: Path | None
    ) -> None:
        self.images = images
        self.skipped = tuple(skipped)
        self._sources = sources
        self._folder = folder

    def __getitem__(self, layer: str) -> Columns:
        return columns_from(self._sources[layer].blocks(self.images), len(self.images), self._folder)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def activation_scope(model: TorchModel, layer: str, pooling: str) -> dict[str, Any]:
    """What the activations of a layer depend on, apart from the image."""
    return {
        "model": model.fingerprint,
        "layer": layer,
        "pooling": pooling,
        "device": model.device.type,
        "version": VERSION,
    }


def stored_activations(
    model: TorchModel,
    images: ImageSet,
    layers: Sequence[str],
    *,
    pooling: str = "mean",
    store: Store | None = None,
    track: Track = silent,
) -> StoredActivations:
    """The pooled activations of layers, in one pass over the images that the store lacks.

    `layers`: addresses, as `model.select_layers` gives them. `pooling`: "mean" or "max". `store`: where they are kept,
    by image, in shards of planned images; None: in temporary files, as long as the result lives.
    Memory does not depend on the number of images. An image that fails in the middle of the run is left out of every
    layer, with a warning: see `StoredActivations.skipped`. Where none of the first shard works, the fault is not the
    images', and the last error is raised.
    Errors: `UnknownNameError`, `LayerError`.
    """
    probes = {layer: unit_probe(model, layer, pooling) for layer in layers}
    sources: dict[str, _Rows] = {
        layer: _Spooled() if store is None else _Kept(store, activation_scope(model, layer, pooling))
        for layer in layers
    }
    lacking = (item for item in images if isinstance(item, WorldImage) and _lacking(sources, [item]))
    draw_world_images(lacking, track=track)
    failed: list[Skipped] = []
    read = _fill(model, images, probes, sources, failed, track) if layers else list(images)
    if failed:
        images = replace(images, items=tuple(read), skipped=(*images.skipped, *failed))
    return StoredActivations(images, failed, sources, None if store is None else store.root)


class _Rows(Protocol):
    """The rows of one layer, by image."""

    def missing(self, items: Sequence[ImageItem]) -> list[ImageItem]:
        """Those of `items` that have no row yet."""
        ...

    def put(self, items: Sequence[ImageItem], rows: FloatArray) -> None:
        """Take the rows of images."""
        ...

    def flush(self) -> None:
        """Keep what was taken so far."""
        ...

    def blocks(self, images: ImageSet) -> Iterator[FloatArray]:
        """The rows of `images` in order, some at a time."""
        ...


class _Kept:
    """Rows in the store, each under its image; as many as were planned together make a shard."""

    def __init__(self, store: Store, scope: Mapping[str, Any]) -> None:
        self._collection = store.collection("activations", scope)
        self._waiting: dict[str, dict[str, FloatArray]] = {}

    def missing(self, items: Sequence[ImageItem]) -> list[ImageItem]:
        return [item for item in items if item.sha256 not in self._collection]

    def put(self, items: Sequence[ImageItem], rows: FloatArray) -> None:
        self._waiting.update({item.sha256: {"values": row} for item, row in zip(items, rows, strict=True)})
        if len(self._waiting) >= SHARD:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._collection.put(self._waiting)
            self._waiting = {}

    def blocks(self, images: ImageSet) -> Iterator[FloatArray]:
        for start in range(0, len(images), SHARD):
            keys = [item.sha256 for item in images[start : start + SHARD]]
            found = self._collection.get_all(keys)
            yield np.stack([found[key]["values"] for key in keys])


class _Spooled:
    """Rows in a temporary file, in the order in which they came: that of the images."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        self._width = 0

    def missing(self, items: Sequence[ImageItem]) -> list[ImageItem]:
        return list(items)

    def put(self, items: Sequence[ImageItem], rows: FloatArray) -> None:
        self._width = rows.shape[1]
        self._file.write(rows.tobytes())

    def flush(self) -> None:
        self._file.flush()

    def blocks(self, images: ImageSet) -> Iterator[FloatArray]:
        for start in range(0, len(images), SHARD):
            self._file.seek(4 * start * self._width)
            count = min(SHARD, len(images) - start)
            yield np.fromfile(self._file, np.float32, count * self._width).reshape(count, self._width)


def _lacking(sources: Mapping[str, _Rows], items: Sequence[ImageItem]) -> dict[str, list[ImageItem]]:
    """The layers that lack some of `items`, with those."""
    missing = {layer: rows.missing(items) for layer, rows in sources.items()}
    return {layer: some for layer, some in missing.items() if some}


def _fill(
    model: TorchModel,
    images: ImageSet,
    probes: Mapping[str, Probe],
    sources: Mapping[str, _Rows],
    failed: list[Skipped],
    track: Track,
) -> list[ImageItem]:
    """Compute what is missing, a planned shard of images at a time; return the images that did not fail."""

    def work(shard: Sequence[ImageItem]) -> tuple[list[ImageItem], dict[str, FloatArray]]:
        lacking = _lacking(sources, shard)
        wanted = [item for item in shard if any(item in some for some in lacking.values())]
        batches = list(probe_images(model, wanted, {layer: probes[layer] for layer in lacking}))
        return wanted, {layer: np.concatenate([rows[layer] for _, rows in batches]) for layer in lacking}

    read: list[ImageItem] = []

    def shards() -> Iterator[Sequence[ImageItem]]:
        for start in range(0, len(images), SHARD):
            if failed and not read:
                return
            yield images[start : start + SHARD]

    with Steps(track, f"activations of {model.name}", len(images)) as steps:
        try:
            for shard, (wanted, values) in attempt(shards(), work, failed, stop=False):
                read += shard
                for layer, rows in values.items():
                    sources[layer].put(wanted, rows)
                steps.reach(len(read) + len(failed))
        finally:
            for source in sources.values():
                source.flush()
    return read
