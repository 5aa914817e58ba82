"""The options that methods on segments share, and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lumiscope.attribution.declared_options import option
from lumiscope.attribution.hide_color import HideColor
from lumiscope.attribution.regions._hiding import HIDING
from lumiscope.attribution.regions.segmenters import SEGMENTERS, check_segmenter
from lumiscope.errors import UsageError

MOST_SEED = 2**32 - 1  # what NumPy's legacy generator, which lime draws from, takes


@dataclass(frozen=True)
class RegionOptions:
    """Options of a method on segments. `method`: its name, for errors.

    `segmenter`: what cuts the view: a way of cutting by name, a picture of labels in a file, or a function of yours.
    `segmenter_options`: the segmenter's own options. `hide`: what takes a hidden segment's
    place: its "mean" colour, the "color" `hide_color`, a "blur" of the view, "noise", or "inpaint", the colours around
    it. `hide_color`: a grey value or (r, g, b); given alone it means hide="color".
    `num_features`: segments that the mask shows at most. `min_weight`: the coefficient from which it shows a
    segment. `positive_only`: whether it shows only segments that speak for the class.
    `random_seed`: None derives it from the study's seed and the image.
    """

    method: ClassVar[str]

    segmenter: str = field(default="quickshift", metadata={"values": (*SEGMENTERS, "mask:FILE", "python:MODULE:NAME")})
    segmenter_options: Mapping[str, Any] = field(default_factory=dict)
    hide: str = option("mean", choices=(*HIDING, "color"))
    hide_color: HideColor = option(None, at_least=0, at_most=255)
    num_features: int = option(10, at_least=1)
    min_weight: float = option(0.0, at_least=0)
    positive_only: bool = True
    random_seed: int | None = option(None, at_least=0, at_most=MOST_SEED)

    def __post_init__(self) -> None:
        check_segmenter(self.segmenter, self.segmenter_options)
        self._check_hiding()

    def _check_hiding(self) -> None:
        if self.hide_color is not None and self.hide == "mean":
            object.__setattr__(self, "hide", "color")  # lime has no `hide`: there a given colour is what hides
        if self.hide_color is not None and self.hide != "color":
            raise UsageError(
                f"{self.method}: hide={self.hide} and hide_color={self.hide_color} exclude each other: give one"
            )
        if self.hide_color is None and self.hide == "color":
            raise UsageError(f"{self.method}: hide=color needs the color: give hide_color, from 0 to 255 or (r, g, b)")
