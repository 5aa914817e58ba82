"""Three numbers of maps of two networks that look at the same pictures for different things (BAM).

One was trained to name objects, the other scenes. Source: Yang & Kim 2019, Benchmarking Attribution Methods with
Relative Feature Importance. Raw values of two networks have no common unit, so what a map says of a region
is the region's share of its positive values, as a share of the area (the paper: means of maps scaled to [0, 1]).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lumiscope.types import BoolArray, DoubleArray

TOLERANCE = 0.1  # of what a map says of a region: less is no change


def lift(values: DoubleArray, region: BoolArray) -> float:
    """The region's share of the positive values, as a share of the area: 1 for a map that knows nothing of it.

    `values`, `region`: (H, W). NaN where no value is positive, or the region is empty.
    """
    positive = np.maximum(values, 0)
    whole, area = positive.sum(), region.mean()
    return float(positive[region].sum() / whole / area) if whole > 0 and area > 0 else math.nan


def model_contrast(
    object_maps: Sequence[DoubleArray], scene_maps: Sequence[DoubleArray], objects: Sequence[BoolArray]
) -> DoubleArray:
    """(I,) how much more maps of the network of objects say of the object than maps of that of scenes.

    On the same pictures, which both networks get right; 0: the method sees no difference between the networks.
    `objects`: where the object is. All are of I pictures, (H, W) each.
    """
    return _lifts(object_maps, objects) - _lifts(scene_maps, objects)


def input_dependence(
    covered_maps: Sequence[DoubleArray], bare_maps: Sequence[DoubleArray], objects: Sequence[BoolArray]
) -> DoubleArray:
    """(I,) 1 where maps of the network of scenes say less of the object's place than without the object, 0 where not.

    `covered_maps`: of the pictures with the object, which covers the scene. `bare_maps`: without it. A half where both
    say the same; NaN where either says nothing.
    """
    difference = _lifts(bare_maps, objects) - _lifts(covered_maps, objects)
    return np.where(np.isnan(difference), math.nan, (np.sign(difference) + 1) / 2)


def input_independence(
    maps: Sequence[DoubleArray], maps_without: Sequence[DoubleArray], places: Sequence[BoolArray]
) -> DoubleArray:
    """(I,) 1 where a thing that does nothing to the score changes what maps say of its place by less than a tenth.

    `maps`: of the pictures with the thing; `maps_without`: without it. NaN where either says nothing.
    """
    with_it, without = _lifts(maps, places), _lifts(maps_without, places)
    same = np.abs(with_it - without) < TOLERANCE * without
    return np.where(np.isnan(with_it + without), math.nan, same)


def _lifts(maps: Sequence[DoubleArray], regions: Sequence[BoolArray]) -> DoubleArray:
    return np.array([lift(values, region) for values, region in zip(maps, regions, strict=True)])
