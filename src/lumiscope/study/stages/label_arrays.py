"""Labels of a layer as the arrays that are kept, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from lumiscope.dissection import LayerLabels, UnitEvidence
from lumiscope.runs import NoLabel, Reason
from lumiscope.store import from_json_array, json_array

NO_ARRAYS = ("model", "layer", "reason", "evidence")
ARRAYS = tuple(field.name for field in dataclasses.fields(LayerLabels) if field.name not in NO_ARRAYS)
EVIDENCE = tuple(field.name for field in dataclasses.fields(UnitEvidence))


def label_arrays(labels: LayerLabels) -> dict[str, NDArray[Any]]:
    """Labels as named arrays."""
    arrays = {name: getattr(labels, name) for name in ARRAYS}
    arrays["reason"] = json_array([reason and [reason.reason, reason.detail] for reason in labels.reason])
    if labels.evidence is not None:
        arrays |= {name: getattr(labels.evidence, name) for name in EVIDENCE}
    return arrays


def labels_from(arrays: Mapping[str, NDArray[Any]], model: str, layer: str) -> LayerLabels:
    """The labels that `label_arrays` made arrays of."""
    known = {name: arrays[name] for name in EVIDENCE if name in arrays}
    return LayerLabels(
        model=model,
        layer=layer,
        reason=tuple(said and NoLabel(Reason(said[0]), said[1]) for said in from_json_array(arrays["reason"])),
        evidence=UnitEvidence(**known) if known else None,
        **{name: arrays[name] for name in ARRAYS},
    )
