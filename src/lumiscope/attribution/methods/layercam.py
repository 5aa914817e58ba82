"""LayerCAM: activations weighted by the positive part of their own gradients; made for early layers, too.

Source: Jiang et al. 2021, "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lumiscope.attribution.cam import GRADIENT_PASSES, cam_method
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.types import Target


@cam_method(
    "layercam",
    title="LayerCAM",
    citation="Jiang et al. 2021, LayerCAM, IEEE Transactions on Image Processing 30",
    passes=GRADIENT_PASSES,
    needs_gradients=True,
)
def layercam(layer: PreparedLayer, targets: Sequence[Target], options: FlipOptions) -> torch.Tensor:
    """relu(sum_k relu(dS/dA_k) · A_k), the product taken at every position."""
    return (layer.gradients(targets).clamp(min=0) * layer.maps.float()).sum(1)
