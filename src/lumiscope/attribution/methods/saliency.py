"""Saliency: how strongly the score reacts to each pixel.

Source: Simonyan, Vedaldi and Zisserman 2014, "Deep Inside Convolutional Networks", section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.attribution.gradients import gradients, strongest
from lumiscope.attribution.pixel_maps import MASK_RULE, pixel_maps
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import FlipOptions, attribution_method
from lumiscope.types import SaliencyMap, Target


@attribution_method(
    "saliency",
    title="Saliency",
    citation="Simonyan et al. 2014, Deep Inside Convolutional Networks, arXiv:1312.6034",
    passes="1 forward and backward",
    options=FlipOptions,
    needs_gradients=True,
    mask_rule=MASK_RULE,
)
def saliency(prepared: PreparedBatch, targets: Sequence[Target], options: FlipOptions) -> list[SaliencyMap]:
    """max over channels of |dS/dx|, S the raw logit of the target, x the normalised input; at least 0."""
    return pixel_maps(prepared, targets, "saliency", options, strongest(gradients(prepared, targets)))
