"""Integrated gradients: contributions along the straight path from a baseline to the picture.

Source: Sundararajan, Taly and Yan 2017, "Axiomatic Attribution for Deep Networks", equation 1. The integral is a
Gauss-Legendre sum, as captum's default is (the paper takes a Riemann sum).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from lumiscope.attribution.declared_options import option
from lumiscope.attribution.gradients import gradient_method, summed
from lumiscope.attribution.hide_color import flat_picture
from lumiscope.attribution.pixel_map import PixelMap
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.registry import FlipOptions
from lumiscope.attribution.saturation import saturation
from lumiscope.models import in_float64
from lumiscope.types import Target

BLUR = 0.1
"""Standard deviation of the blurred baseline, as a share of the view's shorter side."""
ALLOWED_GAP = 0.05


@dataclass(frozen=True)
class IntegratedGradientsOptions(FlipOptions):
    """Options of integrated gradients.

    `steps`: nodes of the integration. `baseline`: where the path begins. "zero": 0 in the normalised input, the
    training pictures' mean colour; "black"; "mean": the view's mean colour; "blur": the view, blurred until no detail
    is left.
    """

    steps: int = option(50, at_least=1)
    baseline: Literal["zero", "black", "mean", "blur"] = "zero"


@gradient_method(
    "integrated_gradients",
    title="Integrated gradients",
    citation="Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks, arXiv:1703.01365",
    passes="steps forwards and backwards (50)",
    options=IntegratedGradientsOptions,
)
def integrated_gradients(
    inputs: PreparedInputs, targets: Sequence[Target], options: IntegratedGradientsOptions
) -> list[PixelMap]:
    """sum over channels of (x − x') · mean of dS/dx on the path from the baseline x' to x, signed.

    The values add up to S(x) − S(x') but for what the sum over nodes misses: `completeness_gap` in the details, and
    `completeness_gap_share` of |S(x) − S(x')|; above 5 % there is a warning. With `flips` these are the view's own.
    """
    explained = [_explain(inputs, row, target, options) for row, target in enumerate(targets)]
    values = summed(torch.stack([contributions for contributions, _ in explained]))
    return [PixelMap(pixels, facts) for pixels, (_, facts) in zip(values, explained, strict=True)]


def _explain(
    inputs: PreparedInputs, row: int, target: Target, options: IntegratedGradientsOptions
) -> tuple[torch.Tensor, dict[str, Any]]:
    """(3, H, W) float64 contributions, and how complete they are."""
    picture, start = inputs.values[row], baseline_input(inputs, row, options.baseline)
    difference = picture - start
    places, shares = np.polynomial.legendre.leggauss(options.steps)
    nodes, weights = (torch.from_numpy(part / 2).to(picture.dtype).to(picture.device) for part in (places + 1, shares))

    def make(first: int, last: int) -> torch.Tensor:
        return start + nodes[first:last, None, None, None] * difference

    contributions = difference.cpu().double() * inputs.weighted_gradients(target, make, weights)
    ends = in_float64(inputs.model.logits(torch.stack([picture, start]))[:, target.index])
    facts = completeness(float(contributions.sum()), float(ends[0] - ends[1]), options.steps)
    if inputs.model.activation == "none" and ends[0] == ends[1] and saturation(target.probability):
        del facts["warnings"]  # which say that there is nothing to explain
    return contributions, facts


def baseline_input(inputs: PreparedInputs, row: int, baseline: str) -> torch.Tensor:
    """(3, H, W) normalised baseline of one image; see `IntegratedGradientsOptions`."""
    picture, view = inputs.values[row], inputs.views[row]
    if baseline == "zero":
        return torch.zeros_like(picture)
    if baseline == "blur":
        from scipy.ndimage import gaussian_filter

        width = BLUR * min(view.size)
        blurred = gaussian_filter(picture.cpu().double().numpy(), (0, width, width), mode="nearest")
        return torch.from_numpy(blurred).to(picture.dtype).to(picture.device)
    colour = 0 if baseline == "black" else None
    return inputs.model.inputs(flat_picture(view.fed, colour)[None])[0]


def completeness(total: float, difference: float, steps: int) -> dict[str, Any]:
    """How much of the score's `difference` the `total` of all contributions leaves unexplained."""
    gap = difference - total
    share = abs(gap / difference) if difference else math.nan
    facts: dict[str, Any] = {"completeness_gap": gap, "completeness_gap_share": share}
    if math.isnan(share):
        facts["warnings"] = ["the picture and its baseline have the same score: there is no difference to explain"]
    elif share > ALLOWED_GAP:
        facts["warnings"] = [
            f"the map misses {share:.0%} of the score's difference; more steps than {steps} would help"
        ]
    return facts
