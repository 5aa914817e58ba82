"""The control of a model: its architecture with random weights, fitted to the probing images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from lumiscope.attribution import derive_seed
from lumiscope.images import DECODERS
from lumiscope.models import (
    RANDOMISATIONS,
    TorchModel,
    batch_statistics,
    has_batch_statistics,
    randomised,
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
    return _fitted(model, untrained(model.network, seed), {"seed": seed}, items, memo)


def random_model(model: TorchModel, number: int, seed: int, items: Sequence[ImageItem], memo: Memo) -> TorchModel:
    """`model` with every parameter random, by each of the ways of `RANDOMISATIONS` in turn.

    `number`: which of the random networks, from 0; with `seed` it decides. `items`: as in `control_of`. Errors: the
    same.
    """
    how = list(RANDOMISATIONS)[number % len(RANDOMISATIONS)]
    own_seed = derive_seed(seed, model.name, f"random network {number}")
    return _fitted(model, randomised(model.network, own_seed, how), {"seed": own_seed, "how": how}, items, memo)


def _fitted(
    model: TorchModel, network: torch.nn.Module, drawn: Mapping[str, Any], items: Sequence[ImageItem], memo: Memo
) -> TorchModel:
    """`model` with `network`, its batch normalisation fitted to the images. `drawn`: what the network derives from."""
    if not has_batch_statistics(network):
        return with_network(model, network)
    shown = items[:: math.ceil(len(items) / FITTED_TO)]

    def measure() -> dict[str, torch.Tensor]:
        return batch_statistics(network, model.inputs([model.view(item) for item in shown]))

    statistics = memo.value(
        "control_statistics",
        {
            "model": model.fingerprint,
            **drawn,
            "images": [item.sha256 for item in shown],
            "device": model.device.type,
        },
        measure,
        made_by=[untrained, batch_statistics, *DECODERS],
        to_arrays=lambda values: {name: value.cpu().numpy() for name, value in values.items()},
        from_arrays=lambda arrays: {name: torch.from_numpy(array) for name, array in arrays.items()},
    )
    return with_network(model, with_statistics(network, statistics))
