"""The options that methods on segments share, and their checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lumiscope.attribution.hide_color import HideColor, check_color
from lumiscope.attribution.regions._hiding import HIDING
from lumiscope.attribution.regions.segmenters import SEGMENTERS, check_segmenter
from lumiscope.errors import UnknownNameError, UsageError

SEED_LIMIT = 2**32  # what NumPy's legacy generator, which lime draws from, takes


@dataclass(frozen=True)
class RegionOptions:
    """Options of a method on segments. `method`: its name, for errors.

    `segmenter`: what cuts the view: a way of cutting by name, a picture of labels in a file, or a function of yours.
    `segmenter_options`: the segmenter's own options. `hide`: what takes a hidden segment's
    place: its "mean" colour, the "color" `hide_color`, a "blur" of the view, "noise", or "inpaint", the colours around
    it. `hide_color`: a grey value or (r, g, b), each from 0 to 255; given alone it means hide="color".
    `num_features`: segments that the mask shows at most, at least 1. `min_weight`: the coefficient from which it shows
    a segment, at least 0. `positive_only`: whether it shows only segments that speak for the class.
    `random_seed`: from 0 to 2^32 - 1; None derives it from the study's seed and the image.
    """

    method: ClassVar[str]

    segmenter: str = field(default="quickshift", metadata={"values": (*SEGMENTERS, "mask:FILE", "python:MODULE:NAME")})
    segmenter_options: Mapping[str, Any] = field(default_factory=dict)
    hide: str = field(default="mean", metadata={"choices": (*HIDING, "color")})
    hide_color: HideColor = None
    num_features: int = 10
    min_weight: float = 0.0
    positive_only: bool = True
    random_seed: int | None = None

    def __post_init__(self) -> None:
        check_segmenter(self.segmenter, self.segmenter_options)
        self._check_choices()
        self.check_least("num_features", 1)
        if not self.min_weight >= 0:
            raise UsageError(f"{self.method}: expected a min_weight of at least 0; got {self.min_weight}")
        if self.random_seed is not None and not 0 <= self.random_seed < SEED_LIMIT:
            raise UsageError(f"{self.method}: expected a random_seed from 0 to 2^32 - 1; got {self.random_seed}")
        self._check_hiding()

    def check_least(self, name: str, least: int) -> None:
        """Errors: `UsageError` where the option `name` is a number below `least`."""
        value = getattr(self, name)
        if isinstance(value, int) and value < least:
            raise UsageError(f"{self.method}: expected {name} of at least {least}; got {value}")

    def _check_choices(self) -> None:
        for option in dataclasses.fields(self):
            known, value = option.metadata.get("choices"), getattr(self, option.name)
            if known is not None and value not in known:
                raise UnknownNameError(f"{option.name} of {self.method}", value, known)

    def _check_hiding(self) -> None:
        check_color(self.method, self.hide_color)
        if self.hide_color is not None and self.hide == "mean":
            object.__setattr__(self, "hide", "color")  # lime has no `hide`: there a given colour is what hides
        if self.hide_color is not None and self.hide != "color":
            raise UsageError(
                f"{self.method}: hide={self.hide} and hide_color={self.hide_color} exclude each other: give one"
            )
        if self.hide_color is None and self.hide == "color":
            raise UsageError(f"{self.method}: hide=color needs the color: give hide_color, from 0 to 255 or (r, g, b)")
