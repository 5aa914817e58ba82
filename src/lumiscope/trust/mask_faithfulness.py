"""How faithful a mask is to the model: what the model loses without it, and keeps with it alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lumiscope.attribution import KeptClasses, PreparedBatch, flat_picture
from lumiscope.errors import TargetError
from lumiscope.types import BoolArray, DoubleArray, Target

LEAST_DROP = 0.01


class Faithfulness:
    """What the model loses without a mask's pixels, and keeps with them alone, beyond what their area explains.

    F(m) = ½ [lost + kept] − area(m), lost = (p(x) − p(x without m)) / D, kept = (p(m alone) − p(nothing)) / D, each at
    most 1, D = p(x) − p(nothing), p the target's probability. Hidden pixels get the mean colour of the view, whatever
    LIME hides with, so that segmenters can be compared. 0 for a mask of nothing or of everything, and for one that
    loses and keeps in proportion to its area; near 1 for a tiny one on which all depends, never above; negative for
    one on which less depends than its area would suggest.
    Source: comprehensiveness and sufficiency of DeYoung et al. 2020 (ERASER, equations 1 and 2), averaged; the division
    and the area, which make pictures comparable and punish large masks, and the bound are ours.
    """

    def __init__(self, prepared: PreparedBatch, target: Target) -> None:
        """Measure p(x) and p(nothing) of a batch's only picture. Errors: `TargetError` where they hardly differ."""
        self.predictor = prepared.predictor
        self.target = target
        self.pixels = prepared.views[0].fed
        self.hidden = flat_picture(self.pixels, None)
        self._known: dict[bytes, float] = {}
        everything = np.ones(self.pixels.shape[:2], np.bool_)
        whole, nothing = self._probabilities([everything, ~everything])
        self.whole, self.nothing = float(whole), float(nothing)
        if self.whole - self.nothing < LEAST_DROP:
            raise TargetError(
                f"expected {target.name} to become less probable when the whole picture is hidden; it goes from "
                f"{self.whole:.3f} to {self.nothing:.3f}, so nothing can be said of parts. Give the picture a mask, or "
                "explain another target."
            )

    def of(self, masks: Sequence[BoolArray]) -> list[float]:
        """F of each mask, (H, W) bool; the model is asked once for each different one."""
        new = {mask.tobytes(): mask for mask in masks if mask.tobytes() not in self._known}
        if new:
            alone = self._probabilities(list(new.values()))
            without = self._probabilities([~mask for mask in new.values()])
            drop = self.whole - self.nothing
            lost, kept = np.minimum((self.whole - without) / drop, 1), np.minimum((alone - self.nothing) / drop, 1)
            areas = [float(mask.mean()) for mask in new.values()]
            self._known.update(zip(new, ((lost + kept) / 2 - areas).tolist(), strict=True))
        return [self._known[mask.tobytes()] for mask in masks]

    def _probabilities(self, shown: Sequence[BoolArray]) -> DoubleArray:
        """(n,) probability of the target where only these pixels are shown."""

        def masks(start: int, stop: int) -> BoolArray:
            return np.stack(shown[start:stop])

        kept = KeptClasses(self.target.index)
        return self.predictor.masked_probabilities(self.pixels, self.hidden, masks, len(shown), kept)[:, 0]
