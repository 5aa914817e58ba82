"""One view whose segments can be hidden, and what the model says of it then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.kept_classes import KeptClasses
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.regions._hiding import hidden_picture
from lumiscope.attribution.regions.region_options import RegionOptions
from lumiscope.types import BoolArray, DoubleArray, FedArray, IntArray


@dataclass(frozen=True)
class Scene:
    """A view in segments. `segments`: (H, W) ids 0..d-1. `hidden`: as `view.fed`, what is seen in their place.

    `predictor`: who says what the model makes of it. `seed`: of everything random about this view.
    """

    view: PreparedView
    predictor: Predictor
    segments: IntArray
    hidden: FedArray
    seed: int

    @classmethod
    def of(cls, view: PreparedView, predictor: Predictor, options: RegionOptions, seed: int | None = None) -> Scene:
        """Cut a view and prepare to hide its segments. `seed`: None: as the options say."""
        if seed is None:
            seed = view.seed(options.method, options.random_seed)
        segments = view.segments(options.segmenter, options.segmenter_options)
        hidden = hidden_picture(view.fed, segments, options.hide, options.hide_color, seed)
        return cls(view, predictor, segments, hidden, seed)

    @property
    def count(self) -> int:
        """How many segments there are."""
        return int(self.segments.max()) + 1

    def probabilities(self, shown: BoolArray, kept: KeptClasses) -> DoubleArray:
        """(n, k) probabilities of the `kept` classes with only the `shown` segments, (n, d), to be seen."""

        def masks(start: int, stop: int) -> BoolArray:
            return np.asarray(np.take(shown[start:stop], self.segments, axis=1))

        return self.predictor.masked_probabilities(self.view.fed, self.hidden, masks, len(shown), kept)
