"""Who answers what a model says of changed pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.attribution._blending import Masks, blended_pixels
from lumiscope.attribution._passes import counted_passes
from lumiscope.attribution.kept_classes import KeptClasses
from lumiscope.attribution.requirements import require_torch_model
from lumiscope.models import BlackBox, Runner, Session, TorchModel, VisionModel, probabilities
from lumiscope.progress import Track, silent
from lumiscope.types import ByteArray, DoubleArray, FedArray, FloatArray

Numbers = NDArray[np.floating[Any]]
ROWS_AT_ONCE = 16
PICTURES_AT_ONCE = 16  # where a model does not say what it likes


class Predictor:
    """A model that is asked many times.

    `model`: of any kind. `session`: how a torch model is run; None: by torch in float32, as it is. `track`: draws the
    progress.
    """

    def __init__(self, model: VisionModel, session: Session | None = None, track: Track = silent) -> None:
        self.model = model
        self.track = track
        self._session = session

    @property
    def session(self) -> Session:
        """How a torch model is run. Errors: `ModelError` for a black box."""
        return self._session or require_torch_model(self.model).reference

    def logits_of(
        self,
        make: Callable[[int, int], torch.Tensor],
        count: int,
        runner: Runner | None = None,
        keep: Callable[[torch.Tensor], torch.Tensor] = lambda logits: logits,
    ) -> torch.Tensor:
        """(count, classes) raw scores of normalised inputs, of which `make(start, stop)` makes a few at a time.

        `runner`: another one than the session's own, such as `session.rough`. `keep`: what is kept of the (n, classes)
        scores of a few, (n, …): all columns of many inputs may be more than memory holds. Errors: `ModelError` for a
        black box.
        """
        with counted_passes(make, self.track, count) as some:
            return self.session.logits_of(some, count, runner, keep)

    def masked_logits(
        self,
        pixels: FedArray,
        hidden: FedArray,
        masks: Callable[[int, int], Masks],
        count: int,
        keep: Callable[[FloatArray], Numbers] = lambda logits: logits,
    ) -> Numbers:
        """(count, classes) raw scores of one view seen through masks: m · view + (1 − m) · hidden.

        `pixels`: (H, W, 3) uint8, the view, or its (H, W, n) float32 bands. `hidden`: the same, what is seen where a
        mask is 0. `masks(start, stop)`: (stop − start, H, W), bool or float in [0, 1]. A torch model blends normalised
        float inputs; a black box gets uint8 pixels, rounded. `keep`: what is kept of the (n, classes) scores of a few,
        (n, …).
        """
        if not isinstance(self.model, TorchModel):

            def blend(start: int, stop: int) -> ByteArray:
                return blended_pixels(np.asarray(pixels, np.uint8), np.asarray(hidden, np.uint8), masks(start, stop))

            return self._predicted(blend, count, keep)
        view, cover = self.model.inputs(np.stack([pixels, hidden])).contiguous()
        choose = _chooser(view, cover)

        def make(start: int, stop: int) -> torch.Tensor:
            weights = torch.from_numpy(np.ascontiguousarray(masks(start, stop))).to(view.device)[:, None]
            if weights.dtype == torch.bool:
                return choose(weights)
            return torch.lerp(cover, view, weights.float())

        return self.logits_of(make, count, keep=_on_tensors(keep)).numpy()

    def normalised(self, pixels: FedArray) -> torch.Tensor:
        """(channels, H, W) float32: `pixels`, a view as it is fed, as a torch model is given it.

        For a black box with mean 0.5 and standard deviation 0.25 of pixels in [0, 1].
        """
        if isinstance(self.model, TorchModel):
            return self.model.inputs(pixels[np.newaxis])[0].contiguous()
        return torch.from_numpy(np.asarray((pixels / 255 - 0.5) / 0.25, np.float32)).permute(2, 0, 1).contiguous()

    def normalised_logits(
        self,
        make: Callable[[int, int], torch.Tensor],
        count: int,
        keep: Callable[[FloatArray], Numbers] = lambda logits: logits,
    ) -> Numbers:
        """(count, classes) raw scores of pictures as `normalised` makes them; a black box gets uint8 pixels, rounded.

        `make(start, stop)`: (stop − start, channels, H, W). `keep`: as of `masked_logits`.
        """
        if isinstance(self.model, TorchModel):
            return self.logits_of(make, count, keep=_on_tensors(keep)).numpy()

        def rounded(start: int, stop: int) -> ByteArray:
            stored = make(start, stop).mul(0.25).add_(0.5).mul_(255).round_().clamp_(0, 255)
            return np.ascontiguousarray(stored.to(torch.uint8).permute(0, 2, 3, 1).numpy())

        return self._predicted(rounded, count, keep)

    def masked_probabilities(
        self, pixels: FedArray, hidden: FedArray, masks: Callable[[int, int], Masks], count: int, kept: KeptClasses
    ) -> DoubleArray:
        """(count, k) float64 probabilities of the `kept` classes of one view seen through masks.

        See `masked_logits`. A few rows at a time become probabilities, which take several times the memory of logits.
        """

        def keep(logits: FloatArray) -> DoubleArray:
            parts = (logits[start : start + ROWS_AT_ONCE] for start in range(0, len(logits), ROWS_AT_ONCE))
            return np.concatenate([kept.of(self.probabilities_of(part)) for part in parts])

        return np.asarray(self.masked_logits(pixels, hidden, masks, count, keep), np.float64)

    def probabilities_of(self, logits: FloatArray) -> DoubleArray:
        """(N, classes) float64 probabilities of (N, classes) raw scores, as this model's activation makes them."""
        return probabilities(logits, self.model.activation)

    @property
    def score_name(self) -> str:
        """What methods that hide parts of the view watch, in a word."""
        return "activation" if self.model.activation == "raw" else "probability"

    def _predicted(
        self, make: Callable[[int, int], ByteArray], count: int, keep: Callable[[FloatArray], Numbers]
    ) -> Numbers:
        """What is kept of the scores of (n, H, W, 3) pixels by a model that only predicts."""
        size = self.model.batch_size if isinstance(self.model, BlackBox) else PICTURES_AT_ONCE
        with counted_passes(make, self.track, count) as some:
            starts = range(0, count, size)
            # Copies, since a view of one class would keep all of them.
            return np.concatenate(
                [np.array(keep(self.model.predict(some(at, min(at + size, count))))) for at in starts]
            )


def _chooser(first: torch.Tensor, second: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """What gives `first` where (n, 1, H, W) bool masks say so, else `second`; the next call overwrites it.

    Both are float32, of one shape. The bits of `torch.where`, in a fifth of its time, as that is slow where the mask
    repeats over channels; and in the same memory, as fresh pages cost more than that.
    """
    bits = second.view(torch.int32)
    changes = first.view(torch.int32) ^ bits
    buffer = bits.new_empty(0)

    def choose(masks: torch.Tensor) -> torch.Tensor:
        nonlocal buffer
        if len(buffer) < len(masks):
            buffer = bits.new_empty(len(masks), *bits.shape)
        chosen = torch.bitwise_and(changes, -masks.int(), out=buffer[: len(masks)])
        return chosen.bitwise_xor_(bits).view(torch.float32)

    return choose


def _on_tensors(keep: Callable[[FloatArray], Numbers]) -> Callable[[torch.Tensor], torch.Tensor]:
    """`keep`, which takes arrays, for tensors on any device."""
    return lambda logits: torch.from_numpy(np.array(keep(logits.cpu().numpy())))
