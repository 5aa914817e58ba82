"""Saliency: how strongly the score reacts to each pixel.

Source: Simonyan, Vedaldi and Zisserman 2014, "Deep Inside Convolutional Networks", section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.attribution.gradients import gradient_method, strongest
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.registry import FlipOptions
from lumiscope.types import FloatArray, Target


@gradient_method(
    "saliency",
    title="Saliency",
    citation="Simonyan et al. 2014, Deep Inside Convolutional Networks, arXiv:1312.6034",
    passes="1 forward and backward",
)
def saliency(inputs: PreparedInputs, targets: Sequence[Target], options: FlipOptions) -> list[FloatArray]:
    """max over channels of |dS/dx|, S the raw logit of the target, x the normalised input; at least 0."""
    return strongest(inputs.gradients(targets))
