"""What is judged: maps of one view, by methods and by baselines that know nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from lumiscope.types import DoubleArray, FedArray, SaliencyMap


@dataclass(frozen=True)
class Undefined:
    """A score that cannot be told, with the reason, for tables."""

    reason: str


Score: TypeAlias = float | Undefined
Explainer: TypeAlias = Callable[[Sequence[FedArray]], list[DoubleArray]]
"""Explains changed versions of the view, each (H, W, C) as the network is fed, by the same method, target and seed."""
Reseeded: TypeAlias = Callable[[int], DoubleArray]
"""Makes the method's map of the view itself under a further seed, by number from 1."""


@dataclass(frozen=True)
class Candidate:
    """A map that is judged.

    `values`: (H, W) float64, raw and signed as the method gives it; NaN where it gives none. `explainer`: makes the
    method's maps of changed versions of the view; None where there is only the map. `reseeded`: makes its map again
    under another seed; None for a method that draws nothing.
    """

    name: str
    values: DoubleArray
    explainer: Explainer | None = None
    reseeded: Reseeded | None = None

    @classmethod
    def of(
        cls, saliency: SaliencyMap, explainer: Explainer | None = None, reseeded: Reseeded | None = None
    ) -> Candidate:
        """A method's map."""
        return cls(saliency.method, saliency.values.astype(np.float64), explainer, reseeded)

    @property
    def blank(self) -> str:
        """Why nothing can be said of it: it is undefined somewhere; "" where it is a map."""
        return "" if np.isfinite(self.values).all() else "the map is undefined"


def scores_of(candidates: Sequence[Candidate], score: Callable[[Candidate], Score]) -> list[Score]:
    """`score` of each candidate that is a map; of the others, why there is none."""
    return [Undefined(candidate.blank) if candidate.blank else score(candidate) for candidate in candidates]
