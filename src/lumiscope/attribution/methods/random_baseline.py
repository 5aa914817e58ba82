"""A map that knows nothing: what every other method must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.pixel_maps import pixel_maps
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import attribution_method
from lumiscope.errors import UsageError
from lumiscope.types import SaliencyMap, Target


@dataclass(frozen=True)
class RandomOptions:
    """Options of the random baseline. `random_seed`: None derives it from the study's seed and the image."""

    random_seed: int | None = None

    def __post_init__(self) -> None:
        if self.random_seed is not None and self.random_seed < 0:
            raise UsageError(f"random: expected a random_seed of at least 0; got {self.random_seed}")


@attribution_method(
    "random",
    title="Random map",
    citation="a baseline, as in Hooker et al. 2019, A Benchmark for Interpretability Methods, arXiv:1806.10758",
    passes="none",
    options=RandomOptions,
)
def random(prepared: PreparedBatch, targets: Sequence[Target], options: RandomOptions) -> list[SaliencyMap]:
    """Independent uniform values in [0, 1), one a pixel. Neither the picture nor the model is looked at."""
    seeds = [prepared.seed_for(row, "random", options.random_seed) for row in range(len(targets))]
    values = [np.random.default_rng(seed).random(prepared.size, dtype=np.float32) for seed in seeds]
    return pixel_maps(prepared, targets, "random", options, values)
