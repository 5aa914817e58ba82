"""Eigen-Grad-CAM: the first principal component of activations times gradients.

Source: grad-cam 1.5.7; Eigen-CAM (Muhammad and Yeasin 2020) of HiResCAM's products (Draelos and Carin 2020).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lumiscope.attribution.cam import GRADIENT_PASSES, cam_method
from lumiscope.attribution.methods.eigencam import first_component
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.types import Target


@cam_method(
    "eigengradcam",
    title="Eigen-Grad-CAM",
    citation="Muhammad and Yeasin 2020, Eigen-CAM, arXiv:2008.00299, of activations times gradients (grad-cam)",
    passes=GRADIENT_PASSES,
    needs_gradients=True,
)
def eigengradcam(layer: PreparedLayer, targets: Sequence[Target], options: FlipOptions) -> torch.Tensor:
    """relu of dS/dA_k · A_k, centred channel by channel, projected on its first principal component.

    Its sign, which is arbitrary, is chosen so that the map correlates positively with HiResCAM's.
    """
    return first_component(layer.gradients(targets) * layer.maps.float())
