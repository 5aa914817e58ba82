"""XGrad-CAM: channels weighted by their gradients, averaged with the activations as weights.

Source: Fu et al. 2020, "Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs", with the 1e-7
under the fraction that grad-cam 1.5.7 has.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lumiscope.attribution.cam import GRADIENT_PASSES, cam_method, weighted_sum
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.models import in_float64
from lumiscope.types import Target

EPSILON = 1e-7


@cam_method(
    "xgradcam",
    title="XGrad-CAM",
    citation="Fu et al. 2020, Axiom-based Grad-CAM, arXiv:2008.02312",
    passes=GRADIENT_PASSES,
    needs_gradients=True,
)
def xgradcam(layer: PreparedLayer, targets: Sequence[Target], options: FlipOptions) -> torch.Tensor:
    """relu(sum_k w_k A_k) with w_k = sum_xy(dS/dA_k · A_k) / (sum_xy A_k + 1e-7).

    The weights suppose a layer after a ReLU: where activations of both signs cancel in the sum they grow without bound.
    """
    maps = in_float64(layer.maps)
    weights = (in_float64(layer.gradients(targets)) * maps).sum((2, 3)) / (maps.sum((2, 3)) + EPSILON)
    return weighted_sum(maps, weights)
