"""Eigen-CAM: the first principal component of the activations; it looks at no class.

Source: Muhammad and Yeasin 2020, "Eigen-CAM: Class Activation Map using Principal Components", with each channel
centred over the positions, as in grad-cam 1.5.7.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lumiscope.attribution.cam import cam_method
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.models import in_float64
from lumiscope.types import Target


@cam_method(
    "eigencam",
    title="Eigen-CAM",
    citation="Muhammad and Yeasin 2020, Eigen-CAM, arXiv:2008.00299",
    passes="1 forward",
    class_blind=True,
)
def eigencam(layer: PreparedLayer, targets: Sequence[Target], options: FlipOptions) -> torch.Tensor:
    """relu of the centred activations projected on their first principal component.

    Its sign, which is arbitrary, is chosen so that the map correlates positively with the mean over the channels.
    """
    return first_component(layer.maps)


def first_component(maps: torch.Tensor) -> torch.Tensor:
    """(B, h, w) float64: (B, C, h, w) maps, centred channel by channel, projected on their first component.

    That is X v with X the (hw × C) matrix of an image and v its first right singular vector, found in float64 by the
    smaller of X Xᵀ and Xᵀ X. The sign makes the covariance with the mean over the channels positive. Zeros where every
    channel is constant: then X v is zero whatever v is. NaN where an activation is not finite.
    """
    rows = in_float64(maps.flatten(2).mT)
    finite = rows.isfinite().flatten(1).all(1)[:, None]
    varies = (rows.amax(1) > rows.amin(1))[:, None]
    centred = torch.where(varies & finite[:, None], rows - rows.mean(1, keepdim=True), 0)
    if centred.shape[1] <= centred.shape[2]:
        squares, vectors = torch.linalg.eigh(centred @ centred.mT)
        projected = vectors[..., -1] * squares[:, -1:].clamp(min=0).sqrt()
    else:
        _, vectors = torch.linalg.eigh(centred.mT @ centred)
        projected = (centred @ vectors[..., -1:])[..., 0]
    against = (projected * centred.mean(2)).sum(1, keepdim=True) < 0
    signed = torch.where(against, -projected, projected)
    return torch.where(finite, signed, torch.nan).view(len(maps), *maps.shape[2:])
