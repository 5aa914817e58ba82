"""Network Dissection of a model's layers: two passes over the probing images, results through the store."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.attribution import look_inside
from lumiscope.dissection import (
    IOU,
    MOST_GRID_IMAGES,
    QUANTILE,
    Fired,
    Formula,
    GridMasks,
    HeldOutComposition,
    LabelledView,
    NetworkDissection,
    Overlaps,
    OverlapStream,
    Thresholds,
    ThresholdStream,
    choose_grid,
    compositions_that_hold,
    map_probe,
    name_detectors,
)
from lumiscope.errors import LayerError, UsageError
from lumiscope.images import DECODERS, Annotations, ImageItem, ImageSet, open_annotations
from lumiscope.memo import Memo, Results
from lumiscope.models import TorchModel, VisionModel, find_layer
from lumiscope.progress import Track, silent
from lumiscope.runs import NoLabel, Reason
from lumiscope.store import content_key, from_json_array, json_array
from lumiscope.study.stages.probe_images import probe_images

PAIRINGS = 10  # times that each image meets the annotations of another one
OVERLAP_ARRAYS = ("intersections", "unit_pixels", "concept_pixels", "categories", "chance")


@dataclass(frozen=True)
class _Counted:
    """What two passes over the images found out about one layer."""

    thresholds: Thresholds
    overlaps: Overlaps
    compositions: Sequence[HeldOutComposition | None]


def network_dissection(
    model: VisionModel,
    probing_images: ImageSet,
    *,
    layers: Sequence[str] | str,
    annotations: Annotations | Path | str | None = None,
    quantile: float = QUANTILE,
    least_iou: float = IOU,
    compositions: bool = False,
    seed: int = 0,
    memo: Memo | None = None,
    track: Track = silent,
) -> tuple[NetworkDissection, ...]:
    """Find the annotated concept that each unit of the layers detects, one result a layer.

    `layers`: names, wildcards, "auto" or "auto:5"; of layers with maps. `annotations`: a folder of label maps, or None
    for the world's own. `quantile`: the share of positions above a unit's threshold. `least_iou`: what makes a
    detector. `compositions`: whether to look for formulas of concepts, too. `seed`: the order in which images pass,
    and with it which of them are paired or sampled. `memo`: where counts are kept; None: nowhere. Memory does not grow
    with the number of images.
    Errors: `UnknownNameError`, `LayerError` for a layer without maps, `ImageError` for bad annotations, `UsageError`.
    """
    if not 0 < quantile < 1 or not 0 <= least_iou <= 1:
        raise UsageError(
            f"expected a quantile between 0 and 1, as {QUANTILE}, and an IoU from 0 to 1, as {IOU}; got {quantile} and "
            f"{least_iou}"
        )
    opened = look_inside(model, "network dissection")
    names = opened.select_layers([layers] if isinstance(layers, str) else layers)
    _refuse_without_maps(opened, names)
    checked_annotations = annotations if isinstance(annotations, Annotations) else open_annotations(annotations)
    checked_annotations.check(probing_images)
    passes = Passes(opened, probing_images, checked_annotations, quantile, compositions, seed, track)
    counted = _counted(passes, names, passes.results(memo or Memo()))
    return tuple(
        name_detectors(
            counted[name].thresholds,
            counted[name].overlaps,
            model=opened.name,
            layer=name,
            words=checked_annotations.words,
            categories=checked_annotations.kinds,
            least_iou=least_iou,
            compositions=counted[name].compositions,
        )
        for name in names
    )


def _refuse_without_maps(model: TorchModel, layers: Sequence[str]) -> None:
    for layer in layers:
        if map_probe(model, layer) is None:
            raise LayerError(
                f"expected layers whose units have maps, as annotations tell pixels apart; a unit of {layer} has one "
                "number an image. `lumiscope layers MODEL` lists shapes; `lumiscope dissect` names such units."
            )


def _counted(passes: Passes, layers: Sequence[str], results: Results) -> dict[str, _Counted]:
    """What is kept, and what is missing counted now and kept."""
    missing = passes.missing(layers, results)
    if missing:
        results.put({passes.layer_key(name): _arrays(counted) for name, counted in passes.count(missing).items()})
    return {name: _from_arrays(results.get(passes.layer_key(name))) for name in layers}


@dataclass(frozen=True)
class Passes:
    """Two passes over the images in one random order: batches are the same in both, and so are all activations."""

    model: TorchModel
    images: ImageSet
    annotations: Annotations
    quantile: float
    compositions: bool
    seed: int
    track: Track

    def results(self, memo: Memo) -> Results:
        """What is kept of such passes, by `layer_key`."""
        inputs = {
            "annotations": [self.annotations.concepts_fingerprint, *map(self.annotations.digest, self.images)],
            "probe": [[item.id, item.sha256] for item in self.images],
            "quantile": self.quantile,
            "compositions": self.compositions,
            "seed": self.seed,
        }
        return memo.results("network_dissection", {"inputs": content_key(inputs)}, made_by=[Passes, *DECODERS])

    def layer_key(self, layer: str) -> str:
        """Where the counts of one layer are."""
        return content_key({"model": self.model.fingerprint, "layer": layer})

    def missing(self, layers: Sequence[str], results: Results) -> list[str]:
        """The layers that are not counted yet."""
        return [layer for layer in layers if self.layer_key(layer) not in results]

    @functools.cached_property
    def items(self) -> list[ImageItem]:
        """The images in a random order: neighbours in a folder may show the same, and would make no chance level."""
        order = np.random.default_rng(self.seed).permutation(len(self.images))
        return [self.images[int(place)] for place in order]

    def count(self, layers: Sequence[str]) -> dict[str, _Counted]:
        """Thresholds in the first pass, pixels in the second, formulas from what the second kept."""
        thresholds = self._thresholds(layers)
        overlaps, formulas = self._overlaps(thresholds)
        return {name: _Counted(thresholds[name], overlaps[name], formulas[name]) for name in layers}

    def _thresholds(self, layers: Sequence[str]) -> dict[str, Thresholds]:
        streams = {}
        for name in layers:
            layer = find_layer(self.model, name)
            streams[name] = ThresholdStream(
                layer.units, len(self.items), layer.map_layout.positions, quantile=self.quantile, seed=self.seed
            )
        for _, maps in self._maps(layers, f"thresholds of {self.model.name}"):
            for name, stream in streams.items():
                stream.add(maps[name])
        return {name: stream.thresholds() for name, stream in streams.items()}

    def _overlaps(
        self, thresholds: Mapping[str, Thresholds]
    ) -> tuple[dict[str, Overlaps], Mapping[str, Sequence[HeldOutComposition | None]]]:
        kinds = tuple(self.annotations.numbers)
        categories = np.array([kinds.index(kind) for kind in self.annotations.kinds])
        pairings = min(PAIRINGS, len(self.items) - 1)
        streams = {
            name: OverlapStream(layer_thresholds, categories, len(kinds), pairings)
            for name, layer_thresholds in thresholds.items()
        }
        units = {name: len(layer_thresholds.values) for name, layer_thresholds in thresholds.items()}
        sample = None
        if self.compositions:
            count = min(len(self.items), MOST_GRID_IMAGES)
            sample = _Sample(units, len(categories), count, self.model.geometry.input_size)
        # The first images meet the last ones, so that each is met equally often.
        earlier = deque(map(self._labels, self.items[len(self.items) - pairings :]), maxlen=pairings)
        place = 0
        for batch, maps in self._maps(list(thresholds), f"overlaps of {self.model.name}"):
            for row, item in enumerate(batch):
                labels = self._labels(item)
                fired = {name: stream.add(maps[name][row], labels, list(earlier)) for name, stream in streams.items()}
                if sample is not None:
                    sample.add(place, labels, fired)
                earlier.append(labels)
                place += 1
        overlaps = {name: stream.overlaps() for name, stream in streams.items()}
        if sample is None:
            return overlaps, {name: (None,) * count for name, count in units.items()}
        return overlaps, sample.compositions(self._names, self.track)

    def _labels(self, item: ImageItem) -> LabelledView:
        geometry = self.model.geometry
        maps = {
            kind: geometry.labels_on_view(label_map) for kind, label_map in self.annotations.label_maps(item).items()
        }
        return LabelledView.of(maps, self.annotations.numbers, geometry.input_size)

    @property
    def _names(self) -> tuple[str, ...]:
        """The words; with their kind where another kind has the same word."""
        words = self.annotations.words
        pairs = zip(words, self.annotations.kinds, strict=True)
        return tuple(f"{word} ({kind})" if words.count(word) > 1 else word for word, kind in pairs)

    def _maps(
        self, layers: Sequence[str], description: str
    ) -> Iterator[tuple[Sequence[ImageItem], dict[str, torch.Tensor]]]:
        """The items of each batch with the maps (B, U, h, w) of every layer; the same batches in every pass."""
        layer_probes = {name: map_probe(self.model, name) for name in layers}
        probes = {name: probe for name, probe in layer_probes.items() if probe is not None}
        batches = probe_images(self.model, self.items, probes)
        for batch, maps in self.track(batches, description, -(-len(self.items) // self.model.batch_size)):
            yield batch, {name: torch.from_numpy(values) for name, values in maps.items()}


class _Sample:
    """Where units fire and concepts are on a coarse grid of the first images, of at most `MOST_GRID_IMAGES`."""

    def __init__(self, units: Mapping[str, int], num_concepts: int, num_images: int, size: tuple[int, int]) -> None:
        self.num_images = num_images
        side = choose_grid(max(num_concepts, *units.values()), num_images, size)
        self._concepts = GridMasks(num_concepts, num_images, side)
        self._units = {name: GridMasks(count, num_images, side) for name, count in units.items()}

    def add(self, place: int, labels: LabelledView, fired: Mapping[str, Sequence[Fired]]) -> None:
        if place >= self.num_images:
            return
        self._concepts.add(place, labels.present, labels.masks)
        for name, blocks in fired.items():
            for block in blocks:
                self._units[name].add(place, block.units, block.masks)

    def compositions(self, names: Sequence[str], track: Track) -> Mapping[str, Sequence[HeldOutComposition | None]]:
        concepts = self._concepts.parts()
        layers = track(self._units.items(), "formulas of concepts", len(self._units))
        return {name: compositions_that_hold(masks.parts(), concepts, names) for name, masks in layers}


def _arrays(counted: _Counted) -> dict[str, NDArray[Any]]:
    thresholds = counted.thresholds
    facts = {
        "reason": [left_out and [left_out.reason, left_out.detail] for left_out in thresholds.reason],
        "quantile": thresholds.quantile,
        "num_positions": thresholds.num_positions,
        "num_sampled": thresholds.num_sampled,
        "compositions": [composition and asdict(composition) for composition in counted.compositions],
    }
    return {
        "thresholds": thresholds.values,
        **{name: getattr(counted.overlaps, name) for name in OVERLAP_ARRAYS},
        "facts": json_array(facts),
    }


def _from_arrays(arrays: Mapping[str, NDArray[Any]]) -> _Counted:
    facts = from_json_array(arrays["facts"])
    thresholds = Thresholds(
        arrays["thresholds"],
        tuple(said and NoLabel(Reason(said[0]), said[1]) for said in facts["reason"]),
        facts["quantile"],
        facts["num_positions"],
        facts["num_sampled"],
    )
    compositions = tuple(composition and _composition(composition) for composition in facts["compositions"])
    return _Counted(thresholds, Overlaps(**{name: arrays[name] for name in OVERLAP_ARRAYS}), compositions)


def _composition(facts: Mapping[str, Any]) -> HeldOutComposition:
    formula = facts["formula"]
    terms = tuple((operator, concept) for operator, concept in formula["terms"])
    return HeldOutComposition(**{**facts, "formula": Formula(formula["first"], terms)})
