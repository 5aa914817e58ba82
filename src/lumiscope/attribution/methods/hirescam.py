"""HiResCAM: activations weighted by their own gradients, position by position.

Source: Draelos and Carin 2020, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural
networks".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lumiscope.attribution.cam import GRADIENT_PASSES, cam_method
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.types import Target


@cam_method(
    "hirescam",
    title="HiResCAM",
    citation="Draelos and Carin 2020, HiResCAM, arXiv:2011.08891",
    passes=GRADIENT_PASSES,
    needs_gradients=True,
)
def hirescam(layer: PreparedLayer, targets: Sequence[Target], options: FlipOptions) -> torch.Tensor:
    """relu(sum_k dS/dA_k · A_k), the product taken at every position; Grad-CAM's map where the gradient is constant."""
    return (layer.gradients(targets) * layer.maps.float()).sum(1)
