"""Integrated gradients: contributions along the straight way from a baseline to the picture.

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

from lumiscope.attribution.gradients import summed, weighted_gradients
from lumiscope.attribution.pixel_maps import MASK_RULE, flat_picture, pixel_maps
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import FlipOptions, attribution_method
from lumiscope.errors import UsageError
from lumiscope.types import SaliencyMap, Target

BLUR = 0.1
"""Standard deviation of the blurred baseline, as a share of the view's shorter side."""
ALLOWED_GAP = 0.05


@dataclass(frozen=True)
class IntegratedGradientsOptions(FlipOptions):
    """Options of integrated gradients.

    `steps`: nodes of the integration. `baseline`: where the way begins. "zero": 0 in the normalised input, the training
    pictures' mean colour; "black"; "mean": the view's mean colour; "blur": the view, blurred until no detail is left.
    """

    steps: int = 50
    baseline: Literal["zero", "black", "mean", "blur"] = "zero"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise UsageError(f"integrated_gradients: expected at least 1 step; got {self.steps}")


@attribution_method(
    "integrated_gradients",
    title="Integrated gradients",
    citation="Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks, arXiv:1703.01365",
    passes="steps forwards and backwards (50)",
    options=IntegratedGradientsOptions,
    needs_gradients=True,
    version=2,
    mask_rule=MASK_RULE,
)
def integrated_gradients(
    prepared: PreparedBatch, targets: Sequence[Target], options: IntegratedGradientsOptions
) -> list[SaliencyMap]:
    """sum over channels of (x − x') · mean of dS/dx on the way from the baseline x' to x, signed.

    The values add up to S(x) − S(x') but for what the sum over nodes misses: `completeness_gap` in the details, and
    `completeness_gap_share` of |S(x) − S(x')|; above 5 % there is a warning. With `flips` these are the view's own.
    """
    explained = [_explain(prepared, row, target, options) for row, target in enumerate(targets)]
    values = summed(torch.stack([contributions for contributions, _ in explained]))
    details = [facts for _, facts in explained]
    return pixel_maps(prepared, targets, "integrated_gradients", options, values, details=details)


def _explain(
    prepared: PreparedBatch, row: int, target: Target, options: IntegratedGradientsOptions
) -> tuple[torch.Tensor, dict[str, Any]]:
    """(3, H, W) float64 contributions, and how complete they are."""
    picture, start = prepared.inputs[row], baseline_input(prepared, row, options.baseline)
    way = picture - start
    places, shares = np.polynomial.legendre.leggauss(options.steps)
    nodes, weights = (torch.from_numpy(part / 2).to(picture) for part in (places + 1, shares))

    def make(first: int, last: int) -> torch.Tensor:
        return start + nodes[first:last, None, None, None] * way

    contributions = way.cpu().double() * weighted_gradients(prepared, target, make, weights)
    ends = prepared.torch_model.logits(torch.stack([picture, start]))[:, target.index].double()
    return contributions, completeness(float(contributions.sum()), float(ends[0] - ends[1]), options.steps)


def baseline_input(prepared: PreparedBatch, row: int, baseline: str) -> torch.Tensor:
    """(3, H, W) normalised baseline of one image; see `IntegratedGradientsOptions`."""
    picture, pixels = prepared.inputs[row], prepared.views[row].pixels
    if baseline == "zero":
        return torch.zeros_like(picture)
    if baseline == "blur":
        from scipy.ndimage import gaussian_filter

        width = BLUR * min(prepared.size)
        blurred = gaussian_filter(picture.cpu().double().numpy(), (0, width, width), mode="nearest")
        return torch.from_numpy(blurred).to(picture)
    colour = 0 if baseline == "black" else None
    return prepared.torch_model.inputs(flat_picture(pixels, colour)[None])[0]


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
