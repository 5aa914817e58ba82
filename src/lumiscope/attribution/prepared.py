"""A batch of views with what several methods share, each part made once and only when it is asked for."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.prepared_view import PreparedView, Segment
from lumiscope.attribution.regions.segmenters import segment_view
from lumiscope.attribution.requirements import require_torch_model
from lumiscope.attribution.targets import choose_targets
from lumiscope.images import View
from lumiscope.models import Session, VisionModel
from lumiscope.progress import Track, silent
from lumiscope.types import DoubleArray, FloatArray, Target


class PreparedBatch:
    """Views of B images and the model that explains them, in parts of which each method takes what it needs.

    `views`: pixels, seeds and segments. `predictor`: what the model says of changed views. `inputs`: normalised, with
    gradients; `at(layer)`: a layer's maps, gradients and head; both of a torch model alone.

    `layer`: the layer to look at, or several; None for methods that look at no layer, and for black boxes. `seed`: the
    study's seed. `session`: how the model is run; None: by torch in float32, as it is. `segment`: cuts a view by a
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
        session: Session | None = None,
        segment: Segment = segment_view,
        track: Track = silent,
    ) -> None:
        self.model = model
        self.views = [PreparedView.of(view, seed, segment) for view in views]
        self.layers = () if layer is None else (layer,) if isinstance(layer, str) else tuple(layer)
        self.predictor = Predictor(model, session, track)
        self._prepare = functools.partial(
            PreparedBatch, model, layer=self.layers, seed=seed, session=session, segment=segment, track=track
        )
        self._mirrored: PreparedBatch | None = None
        self._at: dict[str, PreparedLayer] = {}

    def __len__(self) -> int:
        return len(self.views)

    def rows(self, rows: Sequence[int]) -> PreparedBatch:
        """The batch of these images alone; all of them in order: this very batch, with what it already made."""
        if list(rows) == list(range(len(self))):
            return self
        return self._prepare([self.views[row] for row in rows])

    def mirrored(self) -> PreparedBatch:
        """The batch of the same views, left and right exchanged; made once."""
        if self._mirrored is None:
            self._mirrored = self._prepare([view.mirrored() for view in self.views])
        return self._mirrored

    @functools.cached_property
    def inputs(self) -> PreparedInputs:
        """The normalised inputs, with gradients to them. Errors: `ModelError` for a black box."""
        return PreparedInputs(require_torch_model(self.model), self.views, self.predictor.track)

    def at(self, layer: str) -> PreparedLayer:
        """What one layer gives; made once. Errors: `ModelError` for a black box."""
        if layer not in self._at:
            self._at[layer] = PreparedLayer(layer, self.inputs, self.predictor)
        return self._at[layer]

    @functools.cached_property
    def logits(self) -> FloatArray:
        """(B, classes) float32 raw scores; they come from the trunk where there is one, else from torch in float32."""
        if len(self.layers) == 1:
            return self.at(self.layers[0]).logits.cpu().numpy()
        return self.model.predict(self.views)

    @functools.cached_property
    def probabilities(self) -> DoubleArray:
        """(B, classes) float64 probabilities of the logits."""
        return self.predictor.probabilities_of(self.logits)

    def targets(self, wanted: str | int, labels: Sequence[int | None]) -> list[Target]:
        """What to explain on each image; see `choose_targets`. `labels`: (B,). Errors: `TargetError`."""
        item_ids = [view.item_id for view in self.views]
        chosen = choose_targets(self.model, self.logits, wanted, labels, item_ids)
        return [self._target(row, index) for row, index in enumerate(chosen)]

    def _target(self, row: int, index: int) -> Target:
        probability = math.nan if self.model.activation == "raw" else float(self.probabilities[row, index])
        return Target(index, self.model.classes[index], float(self.logits[row, index]), probability)
