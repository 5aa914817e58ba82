"""The method `mine`: where the view is bright, as far as the model is sure of the target."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.attribution import PreparedBatch, attribution_method
from lumiscope.types import SaliencyMap, Target


@dataclass(frozen=True)
class MineOptions:
    """Options of mine. `power`: the brightness, between 0 and 1, is raised to it."""

    power: float = 1.0


@attribution_method(
    "mine", title="Mine", citation="nobody 2024, a test", passes="1 forward", options=MineOptions, mask_rule="top:20%"
)
def mine(prepared: PreparedBatch, targets: Sequence[Target], options: MineOptions) -> list[SaliencyMap]:
    """probability · brightness^power."""
    return [
        SaliencyMap(
            item_id=view.item_id,
            method="mine",
            target=target,
            values=np.asarray(target.probability * (view.pixels.mean(2) / 255) ** options.power, np.float32),
            options=dataclasses.asdict(options),
        )
        for view, target in zip(prepared.views, targets, strict=True)
    ]
