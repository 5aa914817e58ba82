"""Grad-CAM: channels weighted by their mean gradient.

Source: Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
equations 1 and 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lumiscope.attribution.cam import GRADIENT_PASSES, cam_method, weighted_sum
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.types import Target


@cam_method(
    "gradcam",
    title="Grad-CAM",
    citation="Selvaraju et al. 2017, Grad-CAM, arXiv:1610.02391",
    passes=GRADIENT_PASSES,
    needs_gradients=True,
)
def gradcam(layer: PreparedLayer, targets: Sequence[Target], options: FlipOptions) -> torch.Tensor:
    """relu(sum_k w_k A_k) with w_k = mean_xy dS/dA_k, S the raw logit of the target."""
    return weighted_sum(layer.maps, layer.gradients(targets).mean((2, 3)))
