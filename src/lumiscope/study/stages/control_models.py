"""The control of a model: its architecture with random weights, fitted to the probing images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from lumiscope.images import DECODERS
from lumiscope.models import (
    TorchModel,
    batch_statistics,
    has_batch_statistics,
    untrained,
    with_network,
    with_statistics,
)

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.memo import Memo

FITTED_TO = 32  # probing images at most that batch normalisation is fitted to


def control_of(model: TorchModel, seed: int, items: Sequence[ImageItem], memo: Memo) -> TorchModel:
    """`model` with random weights, the same for the same seed, model and probing images.

    `items`: the probing images; 32 of them, evenly spaced, fit batch normalisation. What was measured on them is kept,
    so that they are looked at once. Errors: `ImageError` for an image that cannot be read any more.
    """
    network, shown = untrained(model.network, seed), items[:: math.ceil(len(items) / FITTED_TO)]
    if not has_batch_statistics(network):
        return with_network(model, network)

    def measure() -> dict[str, torch.Tensor]:
        return batch_statistics(network, model.inputs([model.view(item) for item in shown]))

    statistics = memo.value(
        "control_statistics",
        {
            "model": model.fingerprint,
            "seed": seed,
            "images": [item.sha256 for item in shown],
            "device": model.device.type,
        },
        measure,
        made_by=[untrained, batch_statistics, *DECODERS],
        to_arrays=lambda values: {name: value.cpu().numpy() for name, value in values.items()},
        from_arrays=lambda arrays: {name: torch.from_numpy(array) for name, array in arrays.items()},
    )
    return with_network(model, with_statistics(network, statistics))
