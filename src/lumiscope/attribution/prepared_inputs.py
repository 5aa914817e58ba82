"""The normalised inputs of a batch of views, and gradients of the scores to them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch

from lumiscope.attribution._passes import counted_passes
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.requirements import require_gradient
from lumiscope.attribution.targets import target_scores
from lumiscope.models import TorchModel, borrowed, in_batches, logits_of
from lumiscope.progress import Track, silent
from lumiscope.types import Target


class PreparedInputs:
    """What a torch model is given for a batch of views.

    `views`: B of them, from which the inputs are made. `track`: draws the progress of methods that need many passes.
    Gradients are those of the target's raw logit, by torch in float32; no `.grad` is written.
    """

    def __init__(self, model: TorchModel, views: Sequence[PreparedView], track: Track = silent) -> None:
        self.model = model
        self.views = views
        self._track = track

    @functools.cached_property
    def values(self) -> torch.Tensor:
        """(B, 3, H, W) float32: the normalised views."""
        return self.model.inputs(self.views)

    def gradients(self, targets: Sequence[Target]) -> torch.Tensor:
        """(B, 3, H, W) float32 dS/dx at each view's input x."""

        def run(start: int, stop: int) -> torch.Tensor:
            return self.gradients_at(self.values[start:stop], targets[start:stop])[0]

        return in_batches(run, len(targets), self.model.batch_size)

    def gradients_at(self, inputs: torch.Tensor, targets: Sequence[Target]) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 3, H, W) dS/dx and (N,) S at any inputs x of this shape, S the score of row n's `targets[n]`."""
        network = self.model.network
        with borrowed(network), torch.enable_grad():
            leaf = inputs.detach().requires_grad_()
            scores = target_scores(logits_of(network(leaf.clone())).float(), targets)  # it may begin in place
            require_gradient(scores, "the input", self.model)
            (gradient,) = torch.autograd.grad(scores.sum(), leaf)
        return gradient, scores.detach()

    def weighted_gradients(
        self, target: Target, make: Callable[[int, int], torch.Tensor], weights: torch.Tensor
    ) -> torch.Tensor:
        """(3, H, W) float64 on the CPU: sum_n w_n dS/dx_n.

        `make(start, stop)`: some of the inputs x_n, (stop − start, 3, H, W). `weights`: (N,) float32 on the inputs'
        device. Memory does not grow with N: only weighted sums of batches are kept.
        """
        with counted_passes(make, self._track, len(weights)) as some:

            def run(start: int, stop: int) -> torch.Tensor:
                gradient, _ = self.gradients_at(some(start, stop), [target] * (stop - start))
                return torch.einsum("n,nchw->chw", weights[start:stop], gradient).cpu().double()[None]

            return in_batches(run, len(weights), self.model.batch_size).sum(0)
