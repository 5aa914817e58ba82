"""A batch of views with what several methods share, each part made once and only when it is asked for."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch

from lumiscope.attribution.blending import Masks, blended_pixels
from lumiscope.attribution.regions.segmenters import segment_view
from lumiscope.attribution.seeds import derive_seed
from lumiscope.attribution.targets import choose_targets, target_scores
from lumiscope.errors import ModelError
from lumiscope.images import View
from lumiscope.models import (
    BlackBox,
    Cut,
    Inference,
    TorchModel,
    VisionModel,
    borrowed,
    in_batches,
    probabilities,
)
from lumiscope.models.backends.registry import Runner
from lumiscope.models.layout import Layout
from lumiscope.models.outputs import logits_of
from lumiscope.progress import Track, counted, silent
from lumiscope.types import ByteArray, DoubleArray, FloatArray, IntArray, Target

Segment = Callable[[View, str, Mapping[str, Any]], IntArray]
T = TypeVar("T")
PASSES = "  forward passes"
PICTURES_AT_ONCE = 16  # where a model does not say what it likes


class PreparedBatch:
    """Views of B images, the model that explains them and where to look.

    `layer`: the layer to look at, or several; None for methods that look at no layer, and for black boxes. `seed`: the
    study's seed. `inference`: how the model is run; None: by torch in float32, as it is. `segment`: cuts a view by a
    segmenter's name and options; the study's keeps what it cut, and reads files. `track`: draws the progress of methods
    that need many passes.
    """

    def __init__(
        self,
        model: VisionModel,
        views: Sequence[View],
        *,
        layer: str | Sequence[str] | None = None,
        seed: int = 0,
        inference: Inference | None = None,
        segment: Segment = segment_view,
        track: Track = silent,
    ) -> None:
        self.model = model
        self.views = list(views)
        self.layers = () if layer is None else (layer,) if isinstance(layer, str) else tuple(layer)
        self.seed = seed
        self._inference = inference
        self._segment = segment
        self._track = track
        self._segments: dict[tuple[int, str, str], IntArray] = {}
        self._mirrored: PreparedBatch | None = None
        self._at: dict[str, PreparedBatch] = {}

    def __len__(self) -> int:
        return len(self.views)

    def rows(self, rows: Sequence[int]) -> PreparedBatch:
        """The batch of these images alone; all of them in order: this very batch, with what it already made."""
        if list(rows) == list(range(len(self))):
            return self
        return self._with([self.views[row] for row in rows], self.layers)

    def at(self, layer: str) -> PreparedBatch:
        """The same images, looked at in one of the batch's layers; made once, with the inputs that are there."""
        if self.layers == (layer,):
            return self
        if layer not in self._at:
            self._at[layer] = self._with(self.views, (layer,))
            if isinstance(self.model, TorchModel):
                self._at[layer].inputs = self.inputs
        return self._at[layer]

    def mirrored(self) -> PreparedBatch:
        """The batch of the same views, left and right exchanged; made once."""
        if self._mirrored is None:
            views = [replace(view, pixels=np.ascontiguousarray(view.pixels[:, ::-1])) for view in self.views]
            self._mirrored = self._with(views, self.layers)
        return self._mirrored

    def _with(self, views: Sequence[View], layers: Sequence[str]) -> PreparedBatch:
        return PreparedBatch(
            self.model,
            views,
            layer=layers or None,
            seed=self.seed,
            inference=self._inference,
            segment=self._segment,
            track=self._track,
        )

    @property
    def layer(self) -> str | None:
        """The layer's name; of several, all names with commas; None where there is none."""
        return ", ".join(self.layers) or None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the views."""
        return self.views[0].pixels.shape[0], self.views[0].pixels.shape[1]

    @property
    def torch_model(self) -> TorchModel:
        """The model, where a method must see inside. Errors: `ModelError` for a black box."""
        if not isinstance(self.model, TorchModel):
            raise ModelError(f"this method looks inside the model; {self.model.name} can only predict")
        return self.model

    @property
    def inference(self) -> Inference:
        """How a torch model is run."""
        return self._inference or self.torch_model.reference

    @functools.cached_property
    def inputs(self) -> torch.Tensor:
        """(B, 3, H, W) float32: the normalised views."""
        return self.torch_model.inputs(self.views)

    @functools.cached_property
    def cut(self) -> Cut:
        """What the trunk gives for the whole batch, without gradients. Errors: `UnknownNameError` for the layer."""
        return self.inference.split(self._one_layer()).trunk(self.inputs)

    @functools.cached_property
    def layout(self) -> Layout:
        """Where the maps are in the layer's output. Errors: `LayerError` where it gives no maps."""
        return self.torch_model.layout(self._one_layer())

    @property
    def maps(self) -> torch.Tensor:
        """(B, C, h, w): the layer's activations as maps. Errors: `LayerError` where it gives no maps."""
        return self.layout.maps(self.cut.activations)

    @functools.cached_property
    def logits(self) -> FloatArray:
        """(B, classes) float32 raw scores; they come from the trunk where there is one, else from torch in float32."""
        if len(self.layers) == 1:
            return self.head(self.cut).cpu().numpy()
        return self.model.predict(self.views)

    @functools.cached_property
    def probabilities(self) -> DoubleArray:
        """(B, classes) float64 probabilities of the logits."""
        return self.probabilities_of(self.logits)

    def probabilities_of(self, logits: FloatArray) -> DoubleArray:
        """(N, classes) float64 probabilities of (N, classes) raw scores, as this model's activation makes them."""
        return probabilities(logits, self.model.activation)

    @property
    def score_name(self) -> str:
        """What methods that hide parts of the view watch, in a word."""
        return "activation" if self.model.activation == "raw" else "probability"

    def head(self, cut: Cut) -> torch.Tensor:
        """(N, classes) float32 raw scores of what follows the layer, without gradients."""
        with torch.no_grad():
            return self.inference.split(self._one_layer()).head(cut).float()

    def head_of(self, make: Callable[[int, int], Cut], count: int, size: int) -> torch.Tensor:
        """Raw scores of `count` cuts of which `make(start, stop)` makes at most `size` at a time."""
        with self.tracked(make, count) as some:
            return in_batches(lambda start, stop: self.head(some(start, stop)), count, size)

    def tracked(self, make: Callable[[int, int], T], count: int) -> AbstractContextManager[Callable[[int, int], T]]:
        """`make(start, stop)` of what goes through the model, a few of `count` at a time, with a progress bar."""
        return counted(make, self._track, PASSES, count)

    @functools.cached_property
    def linear_head(self) -> torch.Tensor | None:
        """(classes, C) float32 weights W where the scores are W · (mean of the maps over space) + b; None elsewhere.

        Then the weights of several CAM methods have a closed form.
        """
        return self.inference.linear_head(self._one_layer(), self.cut.row(0), self.layout)

    def gradients(self, targets: Sequence[Target]) -> torch.Tensor:
        """dS/dA as (B, C, h, w): the gradient of each image's target score to the layer's maps."""
        return self.gradients_of(lambda logits: target_scores(logits, targets))

    def gradients_of(self, score: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """(B, C, h, w): the gradient of `score`, (B, classes) raw scores to (B,), to the layer's maps.

        Only the head is differentiated, and where it is linear not even that: there the gradient to A_k is W[c, k] / hw
        at every position, times the gradient to the raw score of class c. No `.grad` is written.
        """
        with torch.enable_grad():
            if self.linear_head is not None:
                logits = self.head(self.cut).requires_grad_()
                (slopes,) = torch.autograd.grad(score(logits).sum(), logits)
                return (slopes @ self.linear_head / self.layout.positions)[:, :, None, None].expand_as(self.maps)
            activations = self.cut.activations.detach().clone().requires_grad_()
            logits = self.inference.split(self._one_layer()).head(Cut(activations, self.cut.context))
            self.require_gradient(logits, f"layer {self.layer}")
            (gradient,) = torch.autograd.grad(score(logits).sum(), activations)
        return self.layout.maps(gradient)

    def require_gradient(self, scores: torch.Tensor, place: str) -> None:
        """Errors: `ModelError` where the scores do not depend on `place` by operations that have a gradient."""
        if not scores.requires_grad:
            raise ModelError(
                f"expected scores with a gradient to {place}; {self.model.name} stops it (by torch.no_grad, detach or "
                "an operation on integers). Use methods without gradients: ablationcam, scorecam, eigencam, lime, rise."
            )

    def input_gradients(self, inputs: torch.Tensor, targets: Sequence[Target]) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 3, H, W) dS/dx and (N,) S of row n's class `targets[n]`, by torch in float32; no `.grad` is written."""
        network = self.torch_model.network
        with borrowed(network), torch.enable_grad():
            leaf = inputs.detach().requires_grad_()
            scores = target_scores(logits_of(network(leaf.clone())).float(), targets)  # it may begin in place
            self.require_gradient(scores, "the input")
            (gradient,) = torch.autograd.grad(scores.sum(), leaf)
        return gradient, scores.detach()

    def logits_of(
        self, make: Callable[[int, int], torch.Tensor], count: int, runner: Runner | None = None
    ) -> torch.Tensor:
        """(count, classes) raw scores of normalised inputs, of which `make(start, stop)` makes a few at a time.

        `runner`: another one than the inference's own, such as `inference.rough`.
        """
        with self.tracked(make, count) as some:
            return self.inference.logits_of(some, count, runner)

    def blended(self, row: int, hidden: ByteArray, masks: Callable[[int, int], Masks], count: int) -> FloatArray:
        """(count, classes) raw scores of one view seen through masks: m · view + (1 − m) · hidden.

        `hidden`: (H, W, 3) uint8, what is seen where a mask is 0. `masks(start, stop)`: (stop − start, H, W), bool or
        float in [0, 1]. A torch model blends normalised float inputs; a black box gets uint8 pixels, rounded.
        """
        pixels = self.views[row].pixels
        if not isinstance(self.model, TorchModel):
            size = self.model.batch_size if isinstance(self.model, BlackBox) else PICTURES_AT_ONCE
            with self.tracked(lambda start, stop: blended_pixels(pixels, hidden, masks(start, stop)), count) as some:
                starts = range(0, count, size)
                return np.concatenate([self.model.predict(some(at, min(at + size, count))) for at in starts])
        view, cover = self.model.inputs(np.stack([pixels, hidden])).contiguous()

        def make(start: int, stop: int) -> torch.Tensor:
            weights = torch.from_numpy(np.ascontiguousarray(masks(start, stop))).to(view.device)[:, None]
            if weights.dtype == torch.bool:
                return torch.where(weights, view, cover)
            return torch.lerp(cover, view, weights.float())

        return self.logits_of(make, count).cpu().numpy()

    def segments(self, row: int, segmenter: str, options: Mapping[str, Any]) -> IntArray:
        """(H, W) segment ids 0..d-1 of one view, cut once for each segmenter and its options; read-only."""
        key = (row, segmenter, json.dumps(options, sort_keys=True, default=str))
        if key not in self._segments:
            self._segments[key] = self._segment(self.views[row], segmenter, options)
            self._segments[key].setflags(write=False)
        return self._segments[key]

    def targets(self, wanted: str | int, labels: Sequence[int | None]) -> list[Target]:
        """What to explain on each image; see `choose_targets`. `labels`: (B,). Errors: `TargetError`."""
        item_ids = [view.item_id for view in self.views]
        chosen = choose_targets(self.model, self.logits, wanted, labels, item_ids)
        return [self._target(row, index) for row, index in enumerate(chosen)]

    def seed_for(self, row: int, method: str, given: int | None = None) -> int:
        """The seed of one image and method; one that the user has `given` wins."""
        return given if given is not None else derive_seed(self.seed, self.views[row].item_id, method)

    def _target(self, row: int, index: int) -> Target:
        probability = math.nan if self.model.activation == "raw" else float(self.probabilities[row, index])
        return Target(index, self.model.classes[index], float(self.logits[row, index]), probability)

    def _one_layer(self) -> str:
        if len(self.layers) != 1:
            raise ModelError(f"expected a batch prepared at one layer; this one has {len(self.layers)}")
        return self.layers[0]
