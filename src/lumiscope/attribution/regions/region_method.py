"""What the methods share that explain a view by its segments.

A method of the family is a function under `@region_method`: from a scene, a view whose segments can be hidden, to a
coefficient of each segment.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from lumiscope.attribution.hide_color import hiding_warnings
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.regions.region_options import RegionOptions
from lumiscope.attribution.regions.scene import Scene
from lumiscope.attribution.registry import attribution_method
from lumiscope.types import DoubleArray, IntArray, SaliencyMap, SegmentMap, Target

Options = TypeVar("Options", bound=RegionOptions)


@dataclass(frozen=True)
class SegmentValues:
    """What a method knows of the d segments of a view; all but the first may be missing. See `SegmentMap`."""

    coefficients: DoubleArray
    details: Mapping[str, Any] = field(default_factory=dict)
    intervals: DoubleArray = field(default_factory=lambda: np.zeros((0, 2)))
    top_classes: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    top_coefficients: DoubleArray = field(default_factory=lambda: np.zeros((0, 0)))


RegionFunction = Callable[[Scene, Target, Options], SegmentValues]


def region_method(
    name: str, *, title: str, citation: str, passes: str, options: type[Options]
) -> Callable[[RegionFunction[Options]], RegionFunction[Options]]:
    """Register a method that hides segments of views, of any model, black boxes included.

    The registered method paints the coefficients on the view, signed.
    """

    def register(function: RegionFunction[Options]) -> RegionFunction[Options]:
        @attribution_method(
            name,
            title=title,
            citation=citation,
            passes=passes,
            options=options,
            perturbs=True,
            makes_segments=True,
            mask_rule="lime",
        )
        @functools.wraps(function)
        def explain(prepared: PreparedBatch, targets: Sequence[Target], options: Options) -> list[SaliencyMap]:
            scenes = (Scene.of(view, prepared.predictor, options) for view in prepared.views)
            return [
                segment_map(scene, target, options, _with_hiding(scene, function(scene, target, options)))
                for scene, target in zip(scenes, targets, strict=True)
            ]

        return function

    return register


def _with_hiding(scene: Scene, values: SegmentValues) -> SegmentValues:
    """The values, saying so where hiding changes no or few segments."""
    warnings = hiding_warnings(scene.view.fed, scene.hidden, scene.segments)
    if not warnings:
        return values
    if values.coefficients.any():
        details = {**values.details, "warnings": [*warnings, *values.details.get("warnings", ())]}
    else:
        details = {**values.details, "blank": warnings[0]}
    return dataclasses.replace(values, details=details)


def segment_map(scene: Scene, target: Target, options: RegionOptions, values: SegmentValues) -> SegmentMap:
    """The saliency map of one view: each pixel has the coefficient of its segment."""
    return SegmentMap(
        item_id=scene.view.item_id,
        method=options.method,
        target=target,
        values=values.coefficients[scene.segments].astype(np.float32),
        options=dataclasses.asdict(options),
        details=values.details,
        segments=scene.segments,
        coefficients=values.coefficients,
        top_classes=values.top_classes,
        top_coefficients=values.top_coefficients,
        intervals=values.intervals,
    )
