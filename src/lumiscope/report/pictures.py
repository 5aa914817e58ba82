"""Saliency maps and masks as pictures on the view."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lumiscope.images import View
from lumiscope.report.colour import overlay, signed_overlay
from lumiscope.report.embed import Picture
from lumiscope.report.numbers import significant
from lumiscope.report.outline import CYAN, bordered, enlarge, enlarge_labels, enlarge_map, enlargement, outlined
from lumiscope.types import BoolArray, SaliencyMap, SegmentMap

NAMES = {"r2": "R²"}


@dataclass(frozen=True)
class MaskFigure:
    """One mask on the view. `rule`: how it was made, "" for the true one. `area`: its share of the view.

    `shows`: what a true mask covers, "" if unknown. `iou_with_truth`: of a method's mask; None without a true one.
    """

    picture: Picture
    rule: str
    area: float
    shows: str = ""
    iou_with_truth: float | None = None


@dataclass(frozen=True)
class MapFigure:
    """One map on the view, with the mask made of it. `low`, `high`: the ends of its legend.

    `warnings`: what makes it doubtful. `picture` is None where the map is `undefined`.
    """

    title: str
    picture: Picture | None
    signed: bool = False
    low: str = "0"
    high: str = "1"
    note: str = ""
    warnings: tuple[str, ...] = ()
    undefined: str = ""
    mask: MaskFigure | None = None


def map_figure(title: str, view: View, saliency: SaliencyMap, scale: float, subject: str) -> MapFigure:
    """Paint a map on its view. `scale`: the coefficient that gets the darkest colour, for segments.

    `subject`: what the map explains, for the alternative text.
    """
    note = ", ".join(
        f"{NAMES.get(name, name.replace('_', ' '))} {_detail(value)}"
        for name, value in saliency.details.items()
        if name != "warnings"
    )
    if isinstance(saliency, SegmentMap):
        factor = enlargement(view.pixels)
        coefficients = enlarge_labels(saliency.coefficients[saliency.segments], factor)
        painted = signed_overlay(enlarge(view.pixels, factor), coefficients, scale)
        painted = bordered(painted, enlarge_labels(saliency.segments, factor))
        alt = f"{title} on {subject}: segments, orange where they speak for the class, blue where against it"
        end = significant(scale, 2)
        return MapFigure(title, Picture.of(painted, alt), True, f"−{end}", f"+{end}", note, saliency.warnings)
    factor = enlargement(view.pixels)
    painted = overlay(enlarge(view.pixels, factor), enlarge_map(saliency.display(), factor))
    alt = f"{title} on {subject}: heat map, yellow where the class depends most on the image"
    return MapFigure(title, Picture.of(painted, alt), note=note, warnings=saliency.warnings)


def mask_figure(title: str, view: View, mask: BoolArray, rule: str, subject: str) -> MaskFigure:
    """Outline a mask on its view: yellow for a method's mask, cyan for the true one (no rule)."""
    area = float(mask.mean())
    picture = outlined(view.pixels, mask) if rule else outlined(view.pixels, mask, CYAN)
    return MaskFigure(Picture.of(picture, f"Mask of {title} on {subject}, {area:.0%} of the view"), rule, area)


def coefficient_scale(maps: Iterable[SaliencyMap]) -> float:
    """The largest |coefficient| of all segment maps that are compared; 0 where there is none."""
    largest = (
        float(np.abs(saliency.coefficients).max(initial=0)) for saliency in maps if isinstance(saliency, SegmentMap)
    )
    return max(largest, default=0.0)


def _detail(value: Any) -> str:
    return significant(value) if isinstance(value, float) else str(value)
