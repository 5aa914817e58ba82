"""Gradients of the target's raw logit to the normalised input, as the gradient methods share them.

Two reductions over the colour channels make a map of (3, H, W). `strongest`: how much the score reacts to a pixel, the
largest |gradient| of its channels (Simonyan et al. 2014, section 3.1), at least 0. `summed`: what a pixel contributes,
the sum over its channels, signed, so that contributions add up as they did before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.models import in_batches
from lumiscope.types import DoubleArray, FloatArray, Target


def gradients(prepared: PreparedBatch, targets: Sequence[Target]) -> torch.Tensor:
    """(B, 3, H, W) float32 dS/dx at each image's normalised input."""

    def run(start: int, stop: int) -> torch.Tensor:
        return prepared.input_gradients(prepared.inputs[start:stop], targets[start:stop])[0]

    return in_batches(run, len(targets), prepared.torch_model.batch_size)


def weighted_gradients(
    prepared: PreparedBatch, target: Target, make: Callable[[int, int], torch.Tensor], weights: torch.Tensor
) -> torch.Tensor:
    """(3, H, W) float64 on the CPU: sum_n w_n dS/dx_n.

    `make(start, stop)`: some of the inputs x_n, (stop − start, 3, H, W). `weights`: (N,) float32 on the inputs' device.
    Memory does not grow with N: only weighted sums of batches are kept.
    """

    with prepared.tracked(make, len(weights)) as some:

        def run(start: int, stop: int) -> torch.Tensor:
            gradient, _ = prepared.input_gradients(some(start, stop), [target] * (stop - start))
            return torch.einsum("n,nchw->chw", weights[start:stop], gradient).cpu().double()[None]

        return in_batches(run, len(weights), prepared.torch_model.batch_size).sum(0)


def strongest(gradient: torch.Tensor) -> list[FloatArray]:
    """B arrays (H, W) of (B, 3, H, W): the largest |gradient| of a pixel's channels."""
    return list(gradient.abs().amax(1).cpu().float().numpy())


def summed(contributions: torch.Tensor) -> list[DoubleArray]:
    """B arrays (H, W) float64 of (B, 3, H, W): the sum over a pixel's channels, signed."""
    return list(contributions.cpu().double().sum(1).numpy())
