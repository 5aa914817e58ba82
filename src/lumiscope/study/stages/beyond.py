"""What of a layer's labels is beyond low-level features of the probing images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.dissection import BeyondLowLevel, LayerLabels, beyond_low_level
from lumiscope.images import DECODERS, measure_low_level
from lumiscope.memo import Results
from lumiscope.types import DoubleArray

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.models import TorchModel
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.study.stages.labels import Naming
    from lumiscope.study.stages.stored_activations import StoredActivations

PARTS = tuple(field.name for field in dataclasses.fields(BeyondLowLevel))


def beyond_of(study: OpenStudy, naming: Naming, activations: StoredActivations, labels: LayerLabels) -> BeyondLowLevel:
    """See `beyond_low_level`; made once. `activations`: those that the labels are of.

    Labels that were not tested are of all images: none is left to judge them, and nothing can be told.
    """
    if naming.evidence.fdr >= 1:
        return BeyondLowLevel(*np.full((len(PARTS), len(labels)), np.nan))
    model, items = study.dissectable[labels.model], study.probed(naming.images).items
    features = _kept(study, model)
    inputs = naming.inputs(study, naming.similarity(study, labels.model, labels.layer))
    return study.memo.value(
        "beyond_low_level",
        {**inputs, "activations": activations.location(labels.layer), "features": features.location},
        lambda: beyond_low_level(
            labels,
            activations[labels.layer],
            study.concept_scores(naming.images),
            _features(features, model, items),
            naming.seed,
        ),
        made_by=[beyond_low_level],
        to_arrays=lambda value: {name: getattr(value, name) for name in PARTS},
        from_arrays=lambda arrays: BeyondLowLevel(**{name: arrays[name] for name in PARTS}),
    )


def _features(kept: Results, model: TorchModel, items: Sequence[ImageItem]) -> DoubleArray:
    """(D, f): low-level features of what a model sees of images; measured where they were not before."""
    keys = [item.sha256 for item in items]
    missing = set(kept.missing(keys))
    lacking = {item.sha256: item for item in items if item.sha256 in missing}
    if lacking:
        kept.put({key: {"features": _measured(model, item)} for key, item in lacking.items()})
    rows = kept.get_all(keys)
    return np.stack([rows[key]["features"] for key in keys])


def _measured(model: TorchModel, item: ImageItem) -> DoubleArray:
    return np.array(dataclasses.astuple(measure_low_level(model.view(item).pixels)))


def _kept(study: OpenStudy, model: TorchModel) -> Results:
    seen = {"geometry": repr(model.geometry), "shown_bands": model.reading.shown_bands}
    return study.memo.results("low_level", seen, made_by=[measure_low_level, *DECODERS])
