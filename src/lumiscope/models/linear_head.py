"""Heads that are global average pooling and a linear layer: there several methods have a closed form."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from lumiscope.models.layout import Layout
from lumiscope.models.split import Cut

PROBES = 8
TOLERANCE = 1e-4


def find_linear_head(
    network: nn.Module, head: Callable[[Cut], torch.Tensor], cut: Cut, layout: Layout
) -> torch.Tensor | None:
    """(classes, C) float32 weights W where `head` is W · (mean of the maps over space) + b; None where it is not.

    Every linear layer of fitting size is a candidate; it counts where it predicts the head on real activations and on
    random ones of both signs and several scales. `cut`: of one image.
    """
    generator = torch.Generator().manual_seed(0)
    shape = cut.activations.shape[1:]
    scales = torch.logspace(-1, 1, PROBES).view(-1, *[1] * len(shape))
    noise = (scales * torch.randn(PROBES, *shape, generator=generator)).to(cut.activations.device)
    probes = torch.cat([cut.activations, noise])
    with torch.no_grad():
        try:
            expected = head(cut.with_activations(probes)).float()
        except (RuntimeError, MemoryError):  # a head that takes no other activations than real ones, or not so many
            return None
        means = layout.maps(probes).mean((2, 3))
        for part in network.modules():
            weights = _weights(part, means.shape[1], expected.shape[1])
            if weights is None:
                continue
            weight, bias = weights
            difference = (means @ weight.T + bias - expected).abs().max()
            if difference <= TOLERANCE * expected.abs().max():
                return weight
    return None


def _weights(part: nn.Module, channels: int, classes: int) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Weights and bias of a linear layer from `channels` to `classes`; one logit z counts as two, -z and z."""
    if not isinstance(part, nn.Linear) and not (isinstance(part, nn.Conv2d) and part.kernel_size == (1, 1)):
        return None
    weight = part.weight.detach().float().flatten(1)
    bias = weight.new_zeros(len(weight)) if part.bias is None else part.bias.detach().float()
    if len(weight) == 1 and classes == 2:
        weight, bias = torch.cat([-weight, weight]), torch.cat([-bias, bias])
    return (weight, bias) if weight.shape == (classes, channels) else None
