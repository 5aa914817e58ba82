"""Seeds of the random steps: each step has a stream of its own, whatever the layer and whatever is done at a time."""

from __future__ import annotations

import numpy as np

STREAMS = (
    "permutations", "members", "halves", "resamples", "capacity", "parts", "copies", "label sets", "neighbours",
    "clusters",
)  # fmt: skip


def generator(seed: int, stream: str, *place: int) -> np.random.Generator:
    """The generator of one random step. `place`: which of its draws, where several are made."""
    return np.random.default_rng((seed, STREAMS.index(stream), *place))
