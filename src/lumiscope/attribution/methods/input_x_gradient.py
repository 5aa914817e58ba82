"""Input × gradient: the first-order contribution of each pixel.

Source: Shrikumar et al. 2016, "Not Just a Black Box: Learning Important Features Through Propagating Activation
Differences".
"""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.attribution.gradients import gradient_method, summed
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.registry import FlipOptions
from lumiscope.types import DoubleArray, Target


@gradient_method(
    "input_x_gradient",
    title="Input × gradient",
    citation="Shrikumar et al. 2016, Not Just a Black Box, arXiv:1605.01713",
    passes="1 forward and backward",
)
def input_x_gradient(inputs: PreparedInputs, targets: Sequence[Target], options: FlipOptions) -> list[DoubleArray]:
    """sum over channels of x · dS/dx, signed; x is the normalised input, so 0 is the training pictures' mean colour."""
    return summed(inputs.values * inputs.gradients(targets))
