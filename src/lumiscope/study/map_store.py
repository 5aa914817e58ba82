"""Saliency maps in the store: their keys, and maps as arrays and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from lumiscope.attribution import AttributionMethod
from lumiscope.images import ImageItem
from lumiscope.models import TorchModel, VisionModel, label_index
from lumiscope.store import Collection, Store, content_key, from_json_array, json_array
from lumiscope.study.segmentations import segmenter_source
from lumiscope.types import SaliencyMap, SegmentMap, Target

FORMAT = 3  # raised whenever `to_arrays` changes, so that older results are not misread
SEGMENT_ARRAYS = ("segments", "coefficients", "top_classes", "top_coefficients", "intervals")
SEGMENT_FACTS = ("num_features", "min_weight", "positive_only")


def map_collection(
    store: Store,
    model: VisionModel,
    method: AttributionMethod[Any],
    options: object,
    *,
    layers: Sequence[str],
    seed: int,
    backend: str,
    precision: str,
    numbers: str,
) -> Collection:
    """Where the maps of one model, method and options lie."""
    given = dataclasses.asdict(options)  # type: ignore[call-overload]
    scope = {
        "model": model.fingerprint,
        "method": method.name,
        "version": method.version,
        "options": given,
        "segmenter_source": segmenter_source(given.get("segmenter", "")),
        "layers": list(layers) if method.needs_layer else [],
        "seed": seed,
        "backend": backend,
        "precision": precision,
        "numbers": numbers,
        "device": model.device.type if isinstance(model, TorchModel) else None,
        "format": FORMAT,
    }
    return store.collection("maps", scope)


def map_key(model: VisionModel, item: ImageItem, target: str | int) -> str:
    """The key of one image's map: its bytes, its id (which seeds derive from) and the target asked for."""
    label = label_index(model, item) if target == "label" else None
    return content_key({"image": item.sha256, "id": item.id, "target": target, "label": label})


def to_arrays(saliency: SaliencyMap) -> dict[str, NDArray[Any]]:
    """All of a map as arrays; what is no array travels as JSON text in `facts`."""
    facts: dict[str, Any] = {
        "item_id": saliency.item_id,
        "method": saliency.method,
        "target": dataclasses.astuple(saliency.target),
        "options": dict(saliency.options),
        "layer": saliency.layer,
        "details": dict(saliency.details),
    }
    arrays: dict[str, NDArray[Any]] = {"values": saliency.values}
    if saliency.shown is not None:
        arrays["shown"] = saliency.shown
    if isinstance(saliency, SegmentMap):
        facts.update({name: getattr(saliency, name) for name in SEGMENT_FACTS})
        arrays.update({name: getattr(saliency, name) for name in SEGMENT_ARRAYS})
    arrays["facts"] = json_array(facts)
    return arrays


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> SaliencyMap:
    """The map that `to_arrays` took apart."""
    parts: dict[str, Any] = from_json_array(arrays["facts"])
    parts["target"] = Target(*parts["target"])
    parts.update({name: array for name, array in arrays.items() if name != "facts"})
    return SegmentMap(**parts) if "segments" in arrays else SaliencyMap(**parts)
