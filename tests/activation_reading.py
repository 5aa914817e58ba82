"""The stage that reads activations, by itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from lumiscope.columns import Columns
from lumiscope.engines import Failure
from lumiscope.images import ImageItem, ImageSet
from lumiscope.memo import Memo
from lumiscope.models import TorchModel
from lumiscope.runs import ProbingImageRow
from lumiscope.store import Store
from lumiscope.study import DissectConfig, Dissecting, RunConfig
from lumiscope.study.stage import STAGES, Tables, run_stage
from lumiscope.study.stages import activations, stored_activations
from lumiscope.study.stages.activations import activations_of


@dataclass(frozen=True)
class Read:
    """What the stage left behind. `images`: ids that every layer has a row for."""

    columns: Mapping[str, Columns]
    images: list[str]
    failures: Sequence[Failure]
    notes: Sequence[str]


def read(
    model: TorchModel,
    images: ImageSet,
    layers: Sequence[str],
    *,
    pooling: Any = "mean",
    store: Store | None = None,
) -> Read:
    config = DissectConfig(layers=layers, pooling=pooling)
    study = Dissecting.of(model, images, config, run=RunConfig(), memo=Memo(store)).study
    tables = Tables()
    results, collected = run_stage("activations", study, tables)
    ids = [row.image for row in tables.rows(ProbingImageRow)]
    columns = activations_of(study, model.name, ids)
    return Read(columns, ids, results.failures, collected.facts["similarity_notes"])


def plan_shards(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Plan so many images a shard."""
    for module in (activations, stored_activations):
        monkeypatch.setattr(module, "SHARD", size)
    monkeypatch.setattr(STAGES["activations"], "patience", size)


def watched(monkeypatch: pytest.MonkeyPatch, before: Callable[[Sequence[ImageItem]], None]) -> None:
    """Call `before` with the images of every pass, which is otherwise what it was."""
    probe_images = stored_activations.probe_images

    @functools.wraps(probe_images)  # it counts as the code that makes the activations
    def probed(model: TorchModel, items: Sequence[ImageItem], probes: Any) -> Any:
        before(items)
        return probe_images(model, items, probes)

    monkeypatch.setattr(stored_activations, "probe_images", probed)


def plain(model: TorchModel, images: Sequence[ImageItem], layer: str, pooling: str = "mean") -> np.ndarray:
    """Image by image, in float64: what the parts up to `layer` give, reduced over space."""
    rows = []
    for item in images:
        with torch.no_grad():
            output = model.module[: int(layer) + 1](model.inputs([model.view(item)]))[0].double().numpy()
        reduce = {"mean": np.mean, "max": np.max}[pooling]
        rows.append(reduce(output, axis=(1, 2)) if output.ndim == 3 else output)
    return np.stack(rows)


def whole(columns: object) -> np.ndarray:
    return np.asarray(columns[:, 0 : columns.shape[1]])  # type: ignore[index, attr-defined]
