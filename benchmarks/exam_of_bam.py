"""BAM's three numbers (Yang & Kim 2019) of methods, between two networks of the world; see trust_exam.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.attribution import PreparedBatch
from lumiscope.images import ImageItem, WorldImage
from lumiscope.trust import input_dependence, input_independence, model_contrast
from lumiscope.types import BoolArray, DoubleArray, Target
from lumiscope.world import OBJECTS, SCENES, render

if TYPE_CHECKING:
    from trust_exam import Examined

IRRELEVANT = 0.05  # of what the backdrop does to the score of its scene: less is nothing


@dataclass(frozen=True)
class Pair:
    """Maps of one picture by every method, (m, H, W) each: by either network, and by that of scenes without the object.

    `mask`: (H, W) the object. `irrelevant`: whether the object does nothing to the score of the scene.
    """

    objects: DoubleArray
    scenes: DoubleArray
    bare: DoubleArray
    mask: BoolArray
    irrelevant: bool


def bam(objects: Examined, scenes: Examined, items: Sequence[ImageItem]) -> list[list[DoubleArray]]:
    """For each method (images,) of model contrast, input dependence and input independence, NaN where not told.

    Of pictures that both networks get right. The functionally irrelevant thing of input independence is the main
    object, in pictures where leaving it out changes the score of the scene by less than 5 % of what leaving out the
    backdrop does.
    """
    pairs = [
        pair for item in items if isinstance(item, WorldImage) and (pair := _pair(objects, scenes, item)) is not None
    ]
    masks = [pair.mask for pair in pairs]
    calm = [pair for pair in pairs if pair.irrelevant]
    return [
        [
            model_contrast([pair.objects[at] for pair in pairs], [pair.scenes[at] for pair in pairs], masks),
            input_dependence([pair.scenes[at] for pair in pairs], [pair.bare[at] for pair in pairs], masks),
            input_independence(
                [pair.scenes[at] for pair in calm], [pair.bare[at] for pair in calm], [pair.mask for pair in calm]
            ),
        ]
        for at in range(len(objects.methods))
    ]


def _pair(objects: Examined, scenes: Examined, item: WorldImage) -> Pair | None:
    """The maps of one picture; None where a network gets it wrong."""
    name, scene = item.class_names
    whole = [examined.prepared([examined.model.view(item)]) for examined in (objects, scenes)]
    (target,), (scene_target,) = (prepared.targets("predicted", [None]) for prepared in whole)
    if (target.index, scene_target.index) != (OBJECTS.index(name), SCENES.index(scene)):
        return None
    bare, plain = (_without(scenes, item, word) for word in (name, scene))
    scores = [float(prepared.logits[0, scene_target.index]) for prepared in (whole[1], bare, plain)]
    return Pair(
        _maps(objects, whole[0], target),
        _maps(scenes, whole[1], scene_target),
        _maps(scenes, bare, scene_target),
        objects.model.geometry.mask_on_view(item.mask),
        abs(scores[0] - scores[1]) < IRRELEVANT * abs(scores[0] - scores[2]),
    )


def _without(examined: Examined, item: WorldImage, word: str) -> PreparedBatch:
    pixels = render(item.index, item.seed, without=word).pixels
    return examined.prepared([examined.model.geometry.view(pixels, item.id)])


def _maps(examined: Examined, prepared: PreparedBatch, target: Target) -> DoubleArray:
    return np.stack([candidate.values for candidate in examined.explain(prepared, target)])
