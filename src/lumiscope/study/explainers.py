"""Methods of a plan as trust metrics ask them: to explain changed versions of a view, or it under another seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lumiscope.attribution import AttributionMethod, PreparedBatch
from lumiscope.images import View
from lumiscope.progress import Track, silent
from lumiscope.study.stages.explanation_plan import ExplanationPlan
from lumiscope.trust import Candidate
from lumiscope.types import DoubleArray, FedArray, SaliencyMap, Target


class Explainers:
    """One view of a plan, and what its methods say of it when it is changed.

    Methods, options, layers, backend and seed are those of the plan. What a method draws derives from the view's id,
    not from its pixels: all versions of a view get the same draws, so that two maps differ by the change alone.
    """

    def __init__(self, plan: ExplanationPlan, view: View, target: Target, track: Track = silent) -> None:
        self._plan, self._view, self._target, self._track = plan, view, target, track
        self._last: tuple[bytes, PreparedBatch] | None = None

    def candidate(self, saliency: SaliencyMap) -> Candidate:
        """A map of the view by one of the plan's methods, with what metrics may ask that method again."""
        method = next(method for method, _ in self._plan.methods if method.name == saliency.method)
        options = self._plan.options_of(method, self._view.item_id)

        def explain(pictures: Sequence[FedArray]) -> list[DoubleArray]:
            return self._explained(self._prepared(pictures), method, options)

        def reseeded(number: int) -> DoubleArray:
            plan = replace(self._plan, seed=self._plan.seed + number)
            return self._explained(plan.prepare_views([self._view], self._track), method, options)[0]

        return Candidate.of(saliency, explain, reseeded if method.is_random(options) else None)

    def _prepared(self, pictures: Sequence[FedArray]) -> PreparedBatch:
        """The pictures as methods share them: made once, as method after method is asked about the same ones."""
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(picture).tobytes() for picture in pictures)).digest()
        if self._last is None or self._last[0] != digest:
            views = [self._view.fed_with(picture) for picture in pictures]
            self._last = digest, self._plan.prepare_views(views, self._track)
        return self._last[1]

    def _explained(self, prepared: PreparedBatch, method: AttributionMethod[Any], options: Any) -> list[DoubleArray]:
        maps = method.explain(prepared, [self._target] * len(prepared), options)
        return [saliency.values.astype(np.float64) for saliency in maps]
