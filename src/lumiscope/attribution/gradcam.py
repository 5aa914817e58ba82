"""Grad-CAM: channels weighted by their mean gradient.

Source: Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
equations 1 and 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.attribution.cam import cam_maps, weighted_sum
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import NoOptions, attribution_method
from lumiscope.types import SaliencyMap, Target


@attribution_method(
    "gradcam",
    title="Grad-CAM",
    citation="Selvaraju et al. 2017, Grad-CAM, arXiv:1610.02391",
    passes="1 forward, 1 backward through the head",
    options=NoOptions,
    needs_gradients=True,
    needs_layer=True,
)
def gradcam(prepared: PreparedBatch, targets: Sequence[Target], options: NoOptions) -> list[SaliencyMap]:
    """relu(sum_k w_k A_k) with w_k = mean_xy dS/dA_k, S the raw logit of the target."""
    maps = prepared.maps
    weights = prepared.gradients(targets).mean((2, 3))
    return cam_maps(prepared, targets, weighted_sum(maps, weights), "gradcam", options)
