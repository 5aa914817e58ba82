"""Input × gradient: the first-order contribution of each pixel.

Source: Shrikumar et al. 2016, "Not Just a Black Box: Learning Important Features Through Propagating Activation
Differences".
"""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.attribution.gradients import gradients, summed
from lumiscope.attribution.pixel_maps import MASK_RULE, pixel_maps
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import FlipOptions, attribution_method
from lumiscope.types import SaliencyMap, Target


@attribution_method(
    "input_x_gradient",
    title="Input × gradient",
    citation="Shrikumar et al. 2016, Not Just a Black Box, arXiv:1605.01713",
    passes="1 forward and backward",
    options=FlipOptions,
    needs_gradients=True,
    mask_rule=MASK_RULE,
)
def input_x_gradient(prepared: PreparedBatch, targets: Sequence[Target], options: FlipOptions) -> list[SaliencyMap]:
    """sum over channels of x · dS/dx, signed; x is the normalised input, so 0 is the training pictures' mean colour."""
    contributions = summed(prepared.inputs * gradients(prepared, targets))
    return pixel_maps(prepared, targets, "input_x_gradient", options, contributions)
