"""Labels of a layer for tests: what a test does not care about is filled in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from lumiscope.dissection import LayerLabels, UnitEvidence
from lumiscope.runs import NoLabel, Reason

REFUSED = NoLabel(Reason.NOT_SIGNIFICANT, "q = 0.3")


def layer_labels(model: str, layer: str, concepts: Sequence[int], **changes: Any) -> LayerLabels:
    """A layer whose units have these labels, -1 for none; `changes`: other fields of `LayerLabels`."""
    units = len(concepts)
    labels = LayerLabels(
        model=model,
        layer=layer,
        concept=np.array(concepts, np.int64),
        reason=tuple(REFUSED if concept < 0 else None for concept in concepts),
        score=np.zeros(units),
        runner_up=np.full(units, -1),
        margin=np.full(units, np.nan),
        further=np.full((units, 2), -1),
        best=np.array(concepts, np.int64)[:, None],
        best_scores=np.zeros((units, 1)),
        evidence=None,
        top_images=np.zeros((units, 1), np.int64),
        top_activations=np.ones((units, 1), np.float32),
        active_without=np.full((units, 1), -1),
        silent_with=np.full((units, 1), -1),
        histogram=np.ones((units, 4), np.int64),
        span=np.tile(np.array([0, 1], np.float32), (units, 1)),
        label_set=np.array(concepts, np.int64)[:, None],
        label_set_size=np.where(np.array(concepts, np.int64) >= 0, 1, -1),
        cluster=np.arange(units),
        groups=np.zeros(0, np.int64),
        blocks=np.ones(units, np.int64),
        clustered=np.array(False),
    )
    return dataclasses.replace(labels, **changes)


def evidence(units: int, **changes: Any) -> UnitEvidence:
    """Evidence of so many units: 0.5 throughout, apart from `changes`."""
    numbers = {field.name: np.full(units, 0.5) for field in dataclasses.fields(UnitEvidence)}
    return UnitEvidence(**(numbers | {name: np.asarray(value, np.float64) for name, value in changes.items()}))
