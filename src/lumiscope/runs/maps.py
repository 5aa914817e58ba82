"""Saliency maps and masks as the arrays that a store keeps, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.store import from_json_array, json_array
from lumiscope.types import BoolArray, SaliencyMap, SegmentMap, Target

SEGMENT_ARRAYS = ("segments", "coefficients", "top_classes", "top_coefficients", "intervals")


def map_arrays(saliency: SaliencyMap) -> dict[str, NDArray[Any]]:
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
        arrays.update({name: getattr(saliency, name) for name in SEGMENT_ARRAYS})
    arrays["facts"] = json_array(facts)
    return arrays


def map_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> SaliencyMap:
    """The map that `map_arrays` took apart."""
    parts: dict[str, Any] = from_json_array(arrays["facts"])
    parts["target"] = Target(*parts["target"])
    parts.update({name: array for name, array in arrays.items() if name != "facts"})
    return SegmentMap(**parts) if "segments" in arrays else SaliencyMap(**parts)


def with_class_name(saliency: SaliencyMap, name: str) -> SaliencyMap:
    """The same map, whose class is called so: another run, with other names of classes, may have kept it."""
    return dataclasses.replace(saliency, target=dataclasses.replace(saliency.target, name=name))


def mask_arrays(mask: BoolArray) -> dict[str, NDArray[Any]]:
    """A mask, (H, W) bool, eight pixels a byte."""
    return {"pixels": np.packbits(mask), "shape": np.array(mask.shape)}


def mask_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> BoolArray:
    """The mask that `mask_arrays` took apart."""
    height, width = arrays["shape"]
    return np.unpackbits(arrays["pixels"], count=height * width).astype(np.bool_).reshape(height, width)
