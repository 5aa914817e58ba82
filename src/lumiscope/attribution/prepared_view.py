"""One view of a batch, with what is decided for it once: its seeds, and the segments it was cut into."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lumiscope.attribution.regions.segmenters import segment_view
from lumiscope.attribution.seeds import derive_seed
from lumiscope.images import View
from lumiscope.types import IntArray

Segment = Callable[[View, str, Mapping[str, Any]], IntArray]


@dataclass(frozen=True, eq=False)
class PreparedView(View):
    """A view as methods share it.

    `study_seed`: all random choices about the view derive from it. `segment`: cuts a view by a segmenter's name and
    options.
    """

    study_seed: int = 0
    segment: Segment = segment_view
    _segments: dict[tuple[str, str], IntArray] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, view: View, study_seed: int, segment: Segment) -> PreparedView:
        """Prepare a view."""
        pixels_and_origin: dict[str, Any] = {part.name: getattr(view, part.name) for part in fields(View)}
        return cls(**pixels_and_origin, study_seed=study_seed, segment=segment)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def seed(self, method: str, given: int | None = None) -> int:
        """The seed of a method on this view, in [0, 2^31); one that the user has `given` wins."""
        return given if given is not None else derive_seed(self.study_seed, self.item_id, method)

    def segments(self, segmenter: str, options: Mapping[str, Any]) -> IntArray:
        """(H, W) segment ids 0..d-1, cut once for each segmenter and its options; read-only. Errors: `UsageError`."""
        key = (segmenter, json.dumps(options, sort_keys=True, default=str))
        if key not in self._segments:
            self._segments[key] = self.segment(self, segmenter, options)
            self._segments[key].setflags(write=False)
        return self._segments[key]
