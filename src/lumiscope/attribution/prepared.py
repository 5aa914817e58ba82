"""A batch of views with what several methods share, each part made once and only when it is asked for."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from scipy.special import softmax

from lumiscope.errors import LayerError, ModelError, TargetError
from lumiscope.images import View
from lumiscope.models import Cut, TorchModel, VisionModel, borrowed, class_index
from lumiscope.types import DoubleArray, FloatArray, Target


def derive_seed(seed: int, item_id: str, method: str) -> int:
    """A seed in [0, 2^31) that depends on the study's seed, the item and the method, never on their order."""
    digest = hashlib.sha256(f"{seed}\0{item_id}\0{method}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


class PreparedBatch:
    """Views of B images, the model that explains them and the layer to look at.

    `layer`: None for methods that look at no layer, and for black boxes. `seed`: the study's seed.
    """

    def __init__(self, model: VisionModel, views: Sequence[View], *, layer: str | None = None, seed: int = 0) -> None:
        self.model = model
        self.views = list(views)
        self.layer = layer
        self.seed = seed

    def __len__(self) -> int:
        return len(self.views)

    def rows(self, rows: Sequence[int]) -> PreparedBatch:
        """The batch of these images alone; all of them in order: this very batch, with what it already made."""
        if list(rows) == list(range(len(self))):
            return self
        return PreparedBatch(self.model, [self.views[row] for row in rows], layer=self.layer, seed=self.seed)

    @property
    def torch_model(self) -> TorchModel:
        """The model, where a method must see inside. Errors: `ModelError` for a black box."""
        if not isinstance(self.model, TorchModel):
            raise ModelError(f"this method looks inside the model; {self.model.name} can only predict")
        return self.model

    @functools.cached_property
    def inputs(self) -> torch.Tensor:
        """(B, 3, H, W) float32: the normalised views."""
        return self.torch_model.inputs(self.views)

    @functools.cached_property
    def cut(self) -> Cut:
        """What the trunk gives for the whole batch, without gradients."""
        model = self.torch_model
        with borrowed(model.module), torch.no_grad():
            return model.split(self._layer_name()).trunk(self.inputs)

    @property
    def maps(self) -> torch.Tensor:
        """(B, C, h, w): the layer's activations. Errors: `LayerError` where it gives no maps."""
        activations = self.cut.activations
        if activations.ndim != 4:
            raise LayerError(
                f"expected a layer whose output is a (channels, height, width) map; {self.layer} gives "
                f"{tuple(activations.shape[1:])}"
            )
        return activations

    @functools.cached_property
    def logits(self) -> FloatArray:
        """(B, classes) float32 raw scores; they come from the trunk where there is one."""
        if self.layer is None:
            return self.model.predict(self.views)
        return self.head(self.cut).numpy()

    @functools.cached_property
    def probabilities(self) -> DoubleArray:
        """(B, classes) float64 softmax of the logits."""
        return np.asarray(softmax(self.logits.astype(np.float64), axis=1))

    def head(self, cut: Cut) -> torch.Tensor:
        """(N, classes) float32 raw scores of what follows the layer, without gradients."""
        model = self.torch_model
        with borrowed(model.module), torch.no_grad():
            return model.split(self._layer_name()).head(cut).float()

    def gradients(self, targets: Sequence[Target]) -> torch.Tensor:
        """dS/dA: the gradient of each image's target score to the layer's activations; the shape of `activations`.

        Only the head is differentiated and no `.grad` is written.
        """
        model = self.torch_model
        with borrowed(model.module), torch.enable_grad():
            activations = self.cut.activations.detach().clone().requires_grad_()
            logits = model.split(self._layer_name()).head(Cut(activations, self.cut.context))
            scores = logits[torch.arange(len(self)), [target.index for target in targets]]
            return torch.autograd.grad(scores.sum(), activations)[0]

    def targets(self, wanted: str | int, labels: Sequence[int | None]) -> list[Target]:
        """Decide what to explain: "predicted", "label" (where there is none: the prediction), an index or a name.

        Errors: `TargetError` for a class that does not exist, or logits that are not finite.
        """
        if not np.isfinite(self.logits).all():
            bad = ~np.isfinite(self.logits).all(axis=1)
            ids = [self.views[row].item_id for row in np.flatnonzero(bad)]
            raise TargetError(f"expected finite scores; {self.model.name} gives NaN or infinity for {', '.join(ids)}")
        predicted = self.logits.argmax(axis=1)
        if wanted == "predicted":
            chosen = list(predicted)
        elif wanted == "label":
            chosen = [best if label is None else label for label, best in zip(labels, predicted, strict=True)]
        else:
            chosen = [class_index(self.model, wanted)] * len(self)
        return [self._target(row, int(index)) for row, index in enumerate(chosen)]

    def seed_for(self, row: int, method: str) -> int:
        """The seed of one image and method."""
        return derive_seed(self.seed, self.views[row].item_id, method)

    def _target(self, row: int, index: int) -> Target:
        name = self.model.classes[index]
        return Target(index, name, float(self.logits[row, index]), float(self.probabilities[row, index]))

    def _layer_name(self) -> str:
        if self.layer is None:
            raise ModelError("this method looks at a layer; the batch was prepared without one")
        return self.layer
