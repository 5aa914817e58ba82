"""A saliency map on the view."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lumiscope.images import View
from lumiscope.report.colour import overlay, signed_overlay
from lumiscope.report.numbers import significant
from lumiscope.report.outline import bordered, enlarge, enlarge_labels, enlarge_map, enlargement
from lumiscope.report.parts.mask_figure import MaskFigure
from lumiscope.report.picture import Picture
from lumiscope.types import SaliencyMap, SegmentMap

NAMES = {"r2": "R²"}


@dataclass(frozen=True)
class MapFigure:
    """A map on the view under its title, the legend and what must be said of it, and the mask that was made of it.

    `picture`: None where the map is `undefined`. `is_signed`: blue to orange, for segments. `low`, `high`: the ends of
    the legend. `note`: its numbers. `warnings`: what makes it doubtful.
    """

    title: str
    picture: Picture | None
    is_signed: bool = False
    low: str = "0"
    high: str = "1"
    note: str = ""
    warnings: tuple[str, ...] = ()
    undefined: str = ""
    mask: MaskFigure | None = None

    @classmethod
    def of(
        cls, title: str, view: View, saliency: SaliencyMap, *, scale: float, subject: str, mask: MaskFigure | None
    ) -> MapFigure:
        """Paint a map on its view. `scale`: the coefficient that gets the darkest colour, for segments.

        `subject`: what the map explains, for the alternative text.
        """
        note = ", ".join(
            f"{NAMES.get(name, name.replace('_', ' '))} {_detail(value)}"
            for name, value in saliency.details.items()
            if name != "warnings"
        )
        factor = enlargement(view.pixels)
        pixels = enlarge(view.pixels, factor)
        if isinstance(saliency, SegmentMap):
            coefficients = enlarge_labels(saliency.coefficients[saliency.segments], factor)
            painted = bordered(signed_overlay(pixels, coefficients, scale), enlarge_labels(saliency.segments, factor))
            alt = f"{title} on {subject}: segments, orange where they speak for the class, blue where against it"
            end = significant(scale, 2)
            return cls(title, Picture.of(painted, alt), True, f"−{end}", f"+{end}", note, saliency.warnings, mask=mask)
        painted = overlay(pixels, enlarge_map(saliency.display(), factor))
        alt = f"{title} on {subject}: heat map, yellow where it is highest"
        return cls(title, Picture.of(painted, alt), note=note, warnings=saliency.warnings, mask=mask)


def coefficient_scale(maps: Iterable[SaliencyMap]) -> float:
    """The largest |coefficient| of all segment maps that are compared; 0 where there is none."""
    largest = (
        float(np.abs(saliency.coefficients).max(initial=0)) for saliency in maps if isinstance(saliency, SegmentMap)
    )
    return max(largest, default=0.0)


def _detail(value: Any) -> str:
    return significant(value) if isinstance(value, float) else str(value)
