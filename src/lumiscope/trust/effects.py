"""What each thing in a picture really does to a model's score: known where the picture can be made without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.trust.ties import expected_rank_correlation
from lumiscope.types import BoolArray, DoubleArray

DILATION = 2  # pixels around a thing that count as its place: edges respond, too


@dataclass(frozen=True)
class TrueEffects:
    """Things in a view, each with its true effect. There is no hole and nothing is filled in: both pictures are real.

    `names`: of n things. `kinds`: (n,) object, part, texture, colour, scene or mark. `regions`: (n, H, W) where on the
    view each is. `drops`: (n,) the target's logit of the picture less that of the same picture without the thing.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    regions: BoolArray
    drops: DoubleArray

    def __len__(self) -> int:
        return len(self.names)


def effect_correlation(values: DoubleArray, effects: TrueEffects) -> float:
    """Rank correlation of what (H, W) values say of each thing with its true effect; NaN for fewer than 3 things.

    What a map says of a thing is the mean over the pixels of its place: a thing twice as large is not twice as
    important, so areas do not decide.
    Source: the single deletion of FunnyBirds (Hesse et al. 2023, equation 4) with means in the place of sums; ties by
    `expected_rank_correlation`.
    """
    said = np.array([values[region].mean() for region in effects.regions])
    return expected_rank_correlation(said, effects.drops)
