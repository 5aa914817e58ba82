"""The metric `mine`: how sure the model stays where a mask's pixels alone are shown, the others black."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lumiscope.attribution import PreparedBatch
from lumiscope.trust import trust_metric
from lumiscope.types import BoolArray, Target


@trust_metric("mine", title="Mine", citation="nobody 2024, a test", better="higher", low=0.0, high=1.0)
class Sureness:
    """The probability of the target."""

    def __init__(self, prepared: PreparedBatch, target: Target) -> None:
        self.predictor = prepared.predictor
        self.pixels = prepared.views[0].pixels
        self.index = target.index

    def of(self, masks: Sequence[BoolArray]) -> list[float]:
        """That of each mask."""
        black = np.zeros_like(self.pixels)

        def shown(start: int, stop: int) -> BoolArray:
            return np.stack(masks[start:stop])

        logits = self.predictor.masked_logits(self.pixels, black, shown, len(masks))
        return [float(value) for value in self.predictor.probabilities_of(logits)[:, self.index]]
