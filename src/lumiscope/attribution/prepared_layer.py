"""What one layer gives for a batch of views: maps, gradients of the scores to them, and the head behind it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch

from lumiscope.attribution._passes import counted_passes
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.requirements import require_gradient
from lumiscope.attribution.targets import target_scores
from lumiscope.models import Cut, Layout, TorchModel, in_batches
from lumiscope.types import Target


class PreparedLayer:
    """A network, cut at a layer, with what the trunk gives for B views.

    `name`: the layer's. `inputs`: what the trunk is given. `predictor`: how the model is run. Every part is made once,
    and only when it is asked for; no `.grad` is written. Errors of all: `UnknownNameError` for the layer.
    """

    def __init__(self, name: str, inputs: PreparedInputs, predictor: Predictor) -> None:
        self.name = name
        self.inputs = inputs
        self.predictor = predictor

    @property
    def model(self) -> TorchModel:
        """The model whose layer it is."""
        return self.inputs.model

    @functools.cached_property
    def cut(self) -> Cut:
        """What the trunk gives for the whole batch, without gradients."""
        return self.predictor.session.split(self.name).trunk(self.inputs.values)

    @functools.cached_property
    def layout(self) -> Layout:
        """Where the maps are in the layer's output. Errors: `LayerError` where it gives no maps."""
        return self.model.layout(self.name)

    @property
    def maps(self) -> torch.Tensor:
        """(B, C, h, w): the layer's activations as maps. Errors: `LayerError` where it gives no maps."""
        return self.layout.maps(self.cut.activations)

    @functools.cached_property
    def logits(self) -> torch.Tensor:
        """(B, classes) float32 raw scores of the views, without gradients."""
        return self.head(self.cut)

    def head(self, cut: Cut) -> torch.Tensor:
        """(N, classes) float32 raw scores of what follows the layer, without gradients."""
        with torch.no_grad():
            return self.predictor.session.split(self.name).head(cut).float()

    def score_of(self, make: Callable[[int, int], Cut], count: int, size: int, target: Target) -> torch.Tensor:
        """(count,) raw scores of the target, of cuts of which `make(start, stop)` makes at most `size` at a time."""
        with counted_passes(make, self.predictor.track, count) as some:
            return in_batches(lambda start, stop: self.head(some(start, stop))[:, target.index], count, size)

    def differentiable_head(self, cut: Cut) -> torch.Tensor:
        """(N, classes) raw scores from which gradients lead back to the cut's activations.

        Errors: `ModelError` where the network stops them.
        """
        logits = self.predictor.session.split(self.name).head(cut)
        require_gradient(logits, f"layer {self.name}", self.model)
        return logits

    @functools.cached_property
    def linear_head(self) -> torch.Tensor | None:
        """(classes, C) float32 weights W where the scores are W · (mean of the maps over space) + b; None elsewhere.

        Then the weights of several CAM methods have a closed form.
        """
        return self.predictor.session.linear_head(self.name, self.cut.row(0), self.layout)

    def gradients(self, targets: Sequence[Target]) -> torch.Tensor:
        """dS/dA as (B, C, h, w): the gradient of each view's target score to the layer's maps."""
        return self.gradients_of(lambda logits: target_scores(logits, targets))

    def gradients_of(self, score: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """(B, C, h, w): the gradient of `score`, (B, classes) raw scores to (B,), to the layer's maps.

        Only the head is differentiated, and where it is linear not even that: there the gradient to A_k is W[c, k] / hw
        at every position, times the gradient to the raw score of class c. Errors: see `differentiable_head`.
        """
        with torch.enable_grad():
            if self.linear_head is not None:
                logits = self.logits.clone().requires_grad_()
                (slopes,) = torch.autograd.grad(score(logits).sum(), logits)
                return (slopes @ self.linear_head / self.layout.positions)[:, :, None, None].expand_as(self.maps)
            activations = self.cut.activations.detach().clone().requires_grad_()
            logits = self.differentiable_head(Cut(activations, self.cut.context))
            (gradient,) = torch.autograd.grad(score(logits).sum(), activations)
        return self.layout.maps(gradient)
