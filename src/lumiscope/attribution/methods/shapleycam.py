"""ShapleyCAM: channels weighted by a second-order estimate of their Shapley values.

Source: Cai 2025, "CAMs as Shapley Value-based Explainers", with the raw logit as the score: the utility of a set of
positions is expanded around the activations to second order, which gives each the weight g - H A / 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from lumiscope.attribution.cam import cam_method, weighted_sum
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.attribution.targets import target_scores
from lumiscope.errors import ModelError
from lumiscope.models import Cut
from lumiscope.types import Target


@cam_method(
    "shapleycam",
    title="ShapleyCAM",
    citation="Cai 2025, CAMs as Shapley Value-based Explainers, arXiv:2501.06261",
    passes="1 forward, 2 backwards through the head (none where the head is pooling and a linear layer)",
    needs_gradients=True,
)
def shapleycam(layer: PreparedLayer, targets: Sequence[Target], options: FlipOptions) -> torch.Tensor:
    """relu(sum_k w_k A_k) with w_k = mean_xy(g - H A / 2)_k; g and H: first and second derivatives of S to A.

    Where the head is piecewise linear (ReLU, pooling, linear layers) H is 0, and the map is Grad-CAM's.
    """
    if layer.linear_head is not None:
        weights = layer.gradients(targets)
    else:
        weights = layer.layout.maps(_second_order(layer, targets))
    return weighted_sum(layer.maps, weights.mean((2, 3)))


def _second_order(layer: PreparedLayer, targets: Sequence[Target]) -> torch.Tensor:
    """g - H A / 2 in the shape of the layer's output; H A is the gradient of g · A with that A held fixed."""
    fixed = layer.cut.activations.detach()
    activations = fixed.clone().requires_grad_()
    # the fused kernels of attention have no second derivative
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        logits = layer.differentiable_head(Cut(activations, layer.cut.context))
        score = target_scores(logits, targets).sum()
        (gradient,) = torch.autograd.grad(score, activations, create_graph=True)
        if not gradient.requires_grad:
            return gradient
        try:
            (product,) = torch.autograd.grad((gradient * fixed).sum(), activations, materialize_grads=True)
        except RuntimeError as error:
            raise ModelError(
                f"expected a network whose scores can be differentiated twice behind {layer.name}; "
                f"{layer.model.name}: {str(error).splitlines()[0]} Use gradcam, which differentiates once."
            ) from error
    return gradient.detach() - product / 2
