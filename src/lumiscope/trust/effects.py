"""What each thing in a picture really does to a model's score: known where the picture can be made without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lumiscope.trust.ties import expected_rank_correlation, rounded
from lumiscope.types import BoolArray, DoubleArray, FloatArray


@dataclass(frozen=True)
class TrueEffects:
    """Things in a view, each with its true effect. There is no hole and nothing is filled in: both pictures are real.

    `names`: of n things. `kinds`: (n,) object, part, texture, colour, scene or mark. `regions`: (n, H, W) where on the
    view each is. `drops`: (n,) the target's logit of the picture less that of the same picture without the thing.
    `scores_without`: gives the (classes,) logits of the picture without all things of some names; None where such
    pictures cannot be made.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    regions: BoolArray
    drops: DoubleArray
    scores_without: Callable[[frozenset[str]], FloatArray] | None = None

    def __len__(self) -> int:
        return len(self.names)


def means_on_things(values: DoubleArray, effects: TrueEffects) -> DoubleArray:
    """(n,) what (H, W) values say of each thing: their mean over the pixels of its place.

    A thing twice as large is not twice as important, so areas do not decide.
    """
    means = np.array([values[region].mean() for region in effects.regions])
    return rounded(means, np.abs(values).max())


def effect_correlation(values: DoubleArray, effects: TrueEffects) -> float:
    """Rank correlation of what (H, W) values say of each thing with its true effect; NaN for fewer than 3 things.

    Source: the single deletion of FunnyBirds (Hesse et al. 2023, equation 4) with means in the place of sums; ties by
    `expected_rank_correlation`.
    """
    return expected_rank_correlation(means_on_things(values, effects), effects.drops)


def effect_map(effects: TrueEffects, size: tuple[int, int]) -> DoubleArray:
    """(H, W) the map that is right: at each pixel the true effects of all things that lie there. `size`: (H, W)."""
    return np.asarray(np.tensordot(effects.drops, effects.regions.astype(np.float64), 1).reshape(size))
