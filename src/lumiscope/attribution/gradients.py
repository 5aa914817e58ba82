"""What the methods share that look at the gradient to the input.

A method of the family is a function under `@gradient_method`: from normalised inputs, which know the gradient of the
target's raw logit to them, to (H, W) values of each view.

Two reductions over the colour channels make a map of (3, H, W). `strongest`: how much the score reacts to a pixel, the
largest |gradient| of its channels (Simonyan et al. 2014, section 3.1), at least 0. `summed`: what a pixel contributes,
the sum over its channels, signed, so that contributions add up as they did before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.attribution.pixel_map import PixelMap, pixel_saliency
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.registry import FlipOptions, attribution_method
from lumiscope.types import DoubleArray, FloatArray, SaliencyMap, Target

MASK_RULE = "top:20%"
"""For maps of gradients: a few pixels stand far out, so that a share of the maximum would leave next to nothing."""
Options = TypeVar("Options", bound=FlipOptions)
GradientFunction = Callable[[PreparedInputs, Sequence[Target], Options], Sequence[PixelMap | NDArray[np.floating]]]


def gradient_method(
    name: str,
    *,
    title: str,
    citation: str,
    passes: str,
    options: type[Options] = FlipOptions,  # type: ignore[assignment]
) -> Callable[[GradientFunction[Options]], GradientFunction[Options]]:
    """Register a method that looks at gradients to the input: a function from B inputs to B maps of pixels.

    The registered method raises `ModelError` for a black box.
    """

    def register(function: GradientFunction[Options]) -> GradientFunction[Options]:
        @attribution_method(
            name,
            title=title,
            citation=citation,
            passes=passes,
            options=options,
            needs_gradients=True,
            mask_rule=MASK_RULE,
        )
        @functools.wraps(function)
        def explain(prepared: PreparedBatch, targets: Sequence[Target], options: Options) -> list[SaliencyMap]:
            maps = function(prepared.inputs, targets, options)
            explained = zip(prepared.views, targets, maps, strict=True)
            return [pixel_saliency(view, target, name, options, pixels) for view, target, pixels in explained]

        return function

    return register


def strongest(gradient: torch.Tensor) -> list[FloatArray]:
    """B arrays (H, W) of (B, 3, H, W): the largest |gradient| of a pixel's channels."""
    return list(gradient.abs().amax(1).cpu().float().numpy())


def summed(contributions: torch.Tensor) -> list[DoubleArray]:
    """B arrays (H, W) float64 of (B, 3, H, W): the sum over a pixel's channels, signed."""
    return list(contributions.cpu().double().sum(1).numpy())
