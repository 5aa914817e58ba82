"""The options of LIME."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lumiscope.attribution.regions.designs import DESIGNS
from lumiscope.attribution.regions.hiding import HIDING
from lumiscope.attribution.regions.segmenters import check_segmenter
from lumiscope.errors import UnknownNameError, UsageError


@dataclass(frozen=True)
class LimeOptions:
    """Options of LIME; those that the lime package has are named as there.

    `segmenter`: what cuts the view: quickshift, slic, felzenszwalb, watershed, grid, `mask:FILE` or
    `python:module:function`; `segmenter_options`: its own options. `hide`: what takes a hidden segment's place: its
    "mean" colour, the "color" `hide_color`, "blur", "noise" or "inpaint". `hide_color`: a number or (r, g, b); given
    alone it means hide="color".
    `num_samples`: pictures with hidden segments; "auto": as many as the choice of the `num_features` best segments
    needs to be stable at the `confidence`, at most `max_samples`. `design`: how they are chosen, and what is made
    of them: bernoulli (lime's), foldover or surrogate. `confidence`: also of the coefficients' intervals.
    `num_features`: segments that get a coefficient, and that `mask()` shows at most; `min_weight` and `positive_only`:
    which of them it shows. `top_labels`: classes, the most probable first, that get coefficients beside the target.
    `random_seed`: None derives it from the study's seed and the image.
    """

    segmenter: str = "quickshift"
    segmenter_options: Mapping[str, Any] = field(default_factory=dict)
    hide: str = "mean"
    hide_color: int | tuple[int, int, int] | None = None
    num_samples: int | Literal["auto"] = 1000
    max_samples: int = 5000
    design: str = "bernoulli"
    confidence: float = 0.95
    num_features: int = 10
    min_weight: float = 0.0
    positive_only: bool = True
    top_labels: int = 1
    random_seed: int | None = None

    def __post_init__(self) -> None:
        check_segmenter(self.segmenter, self.segmenter_options)
        for kind, name, known in (("hide", self.hide, [*HIDING, "color"]), ("design", self.design, DESIGNS)):
            if name not in known:
                raise UnknownNameError(f"{kind} of lime", name, known)
        self._check_numbers()
        self._check_colour()

    def _check_numbers(self) -> None:
        for name, least in (("num_samples", 2), ("max_samples", 2), ("num_features", 1), ("top_labels", 0)):
            value = getattr(self, name)
            if value != "auto" and value < least:
                raise UsageError(f"lime: expected {name} of at least {least}; got {value}")
        if not 0 < self.confidence < 1:
            raise UsageError(f"lime: expected a confidence between 0 and 1, such as 0.95; got {self.confidence}")
        if not self.min_weight >= 0:
            raise UsageError(f"lime: expected a min_weight of at least 0; got {self.min_weight}")
        if self.random_seed is not None and not 0 <= self.random_seed < 2**32:
            raise UsageError(f"lime: expected a random_seed from 0 to 2^32 - 1; got {self.random_seed}")

    def _check_colour(self) -> None:
        colours = self.hide_color if isinstance(self.hide_color, tuple) else (self.hide_color or 0,)
        if not all(0 <= colour <= 255 for colour in colours):
            raise UsageError(f"lime: expected hide_color from 0 to 255; got {self.hide_color}")
        if self.hide_color is not None and self.hide == "mean":
            object.__setattr__(self, "hide", "color")  # lime has no `hide`: there a given colour is what hides
        if self.hide_color is not None and self.hide != "color":
            raise UsageError(f"lime: hide={self.hide} and hide_color={self.hide_color} exclude each other: give one")
        if self.hide_color is None and self.hide == "color":
            raise UsageError("lime: hide=color needs the color: give hide_color, from 0 to 255 or (r, g, b)")
