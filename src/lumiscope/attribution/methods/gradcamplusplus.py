"""Grad-CAM++: positive gradients, each weighted so that several objects of the class count alike.

Source: Chattopadhay et al. 2018, "Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks", equation
19, with the exponential of the score, whose second and third derivatives are powers of the first where the rest
of the network is piecewise linear; and the 1e-6 under the fraction that grad-cam 1.5.7 has. The factor exp(S), common
to all channels of an image, is left out as there: it changes no display.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lumiscope.attribution.cam import GRADIENT_PASSES, cam_method, weighted_sum
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.models import in_float64
from lumiscope.types import Target

EPSILON = 1e-6


@cam_method(
    "gradcampp",
    title="Grad-CAM++",
    citation="Chattopadhay et al. 2018, Grad-CAM++, arXiv:1710.11063",
    passes=GRADIENT_PASSES,
    needs_gradients=True,
)
def gradcampp(layer: PreparedLayer, targets: Sequence[Target], options: FlipOptions) -> torch.Tensor:
    """relu(sum_k w_k A_k) with w_k = sum_xy a · relu(g), a = g² / (2 g² + g³ sum_xy A_k + 1e-6), g = dS/dA_k.

    With the gradients of a real network (1e-3 and less) the 1e-6 is no mere guard: it favours the larger ones.
    """
    maps, gradients = in_float64(layer.maps), in_float64(layer.gradients(targets))
    squares = gradients.square()
    shares = squares / (2 * squares + squares * gradients * maps.sum((2, 3), keepdim=True) + EPSILON)
    return weighted_sum(maps, (shares * gradients.clamp(min=0)).sum((2, 3)))
