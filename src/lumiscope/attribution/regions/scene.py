"""One view whose segments can be hidden, and what the model says of it then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.regions.hiding import hidden_picture
from lumiscope.attribution.regions.region_options import RegionOptions
from lumiscope.types import BoolArray, ByteArray, DoubleArray, IntArray


@dataclass(frozen=True)
class Scene:
    """The view `row` of a batch. `segments`: (H, W) ids 0..d-1. `hidden`: (H, W, 3) uint8, what is seen in their place.

    `seed`: of everything random about this view.
    """

    prepared: PreparedBatch
    row: int
    segments: IntArray
    hidden: ByteArray
    seed: int

    @classmethod
    def of(cls, prepared: PreparedBatch, row: int, options: RegionOptions, seed: int | None = None) -> Scene:
        """Cut a view and prepare to hide its segments. `seed`: None: as the options say."""
        if seed is None:
            seed = prepared.seed_for(row, options.method, options.random_seed)
        segments = prepared.segments(row, options.segmenter, options.segmenter_options)
        pixels = prepared.views[row].pixels
        hidden = hidden_picture(pixels, segments, options.hide, options.hide_color, seed)
        return cls(prepared, row, segments, hidden, seed)

    @property
    def count(self) -> int:
        """How many segments there are."""
        return int(self.segments.max()) + 1

    def probabilities(self, shown: BoolArray) -> DoubleArray:
        """(n, classes) probabilities of the view with only the `shown` segments, (n, d), to be seen."""

        def masks(start: int, stop: int) -> BoolArray:
            return np.asarray(np.take(shown[start:stop], self.segments, axis=1))

        return self.prepared.probabilities_of(self.prepared.blended(self.row, self.hidden, masks, len(shown)))
