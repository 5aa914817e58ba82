"""Labels of a layer as the arrays that the store keeps, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from lumiscope.store import from_json_array, json_array
from lumiscope.types import EVIDENCE, LayerLabels, UnitEvidence

NO_ARRAYS = ("model", "layer", "reason", "evidence")
ARRAYS = tuple(one.name for one in dataclasses.fields(LayerLabels) if one.name not in NO_ARRAYS)


def label_arrays(labels: LayerLabels) -> dict[str, NDArray[Any]]:
    """Labels as named arrays."""
    arrays = {name: getattr(labels, name) for name in ARRAYS}
    arrays["reason"] = json_array(labels.reason)
    if labels.evidence is not None:
        arrays |= {name: getattr(labels.evidence, name) for name in EVIDENCE}
    return arrays


def labels_from(arrays: Mapping[str, NDArray[Any]], model: str, layer: str) -> LayerLabels:
    """The labels that `label_arrays` made arrays of."""
    known = {name: arrays[name] for name in EVIDENCE if name in arrays}
    return LayerLabels(
        model=model,
        layer=layer,
        reason=tuple(from_json_array(arrays["reason"])),
        evidence=UnitEvidence(**known) if known else None,
        **{name: arrays[name] for name in ARRAYS},
    )
