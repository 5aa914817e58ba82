"""A model that can only predict: a callable on uint8 pictures, whatever is behind it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.errors import LumiscopeError, ModelError
from lumiscope.images import Geometry, ImageItem, View
from lumiscope.models.backends import in_batches
from lumiscope.models.vision_model import Activation, probabilities, unnamed_classes
from lumiscope.types import ByteArray, FloatArray

Predictor: TypeAlias = Callable[[ByteArray], object]
"""(N, h, w, 3) uint8 RGB -> (N, classes) numbers: an array, a tensor or nested lists."""
Normalisation = tuple[float, float, float]


class BlackBox:
    """A classifier of which nothing is known but its answers.

    `predictor`: (N, h, w, 3) uint8 pictures of the geometry's size to (N, classes) numbers; (N,) or (N, 1) is one
    number a picture, which stands for two classes, "no" and "yes".
    `activation`: what the numbers are. "none": probabilities; "softmax", "sigmoid": logits that these make
    probabilities of; None: probabilities where the answers to two noise pictures add up to 1, else logits (softmax; of
    one number sigmoid), and a note says so.
    `batch_size`: pictures of one call. `mean`, `std`: what the predictor normalises with, for the record; None: it is
    given no such numbers. `identity`: what its answers depend on besides the preprocessing; "": the spec.

    Errors: `ModelError` where the predictor fails, gives another shape, numbers that are not finite, or another number
    of classes than there are names.
    """

    def __init__(
        self,
        predictor: Predictor,
        geometry: Geometry,
        *,
        classes: tuple[str, ...] | None = None,
        activation: Activation | None = None,
        name: str = "black box",
        spec: str = "callable",
        batch_size: int = 16,
        mean: Normalisation | None = None,
        std: Normalisation | None = None,
        identity: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        self.geometry = geometry
        self.name = name
        self.spec = spec
        self.batch_size = batch_size
        self.mean = mean
        self.std = std
        self._predictor = predictor
        self._identity = identity
        answer = self._answer(noise(geometry))
        single = answer.shape[1] == 1
        self.activation, noted = _activation(answer, activation)
        self.notes = notes + noted
        self.classes = classes or (("no", "yes") if single else unnamed_classes(answer.shape[1]))
        self._answer_to_noise = self._scores(answer)
        self._check_values(self._answer_to_noise)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Sha256 (hex) of identity, preprocessing, activation, and the best class of two noise pictures.

        The last tells most changes behind an address that says nothing of its version. Its probability counts to three
        decimals, so that another order of additions makes no other model.
        """
        shares = probabilities(self._answer_to_noise, self.activation)
        said = [[int(row.argmax()), round(float(row.max()), 3)] for row in shares]
        facts = [self._identity or self.spec, repr(self.geometry), self.activation, self.mean, self.std, said]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def view(self, item: ImageItem) -> View:
        """Return what the model sees of `item`."""
        return self.geometry.view(item.pixels, item.id)

    def predict(self, views: Sequence[View] | ByteArray) -> FloatArray:
        """Return (N, classes) float32 scores of views, or of (N, h, w, 3) uint8 pixels of their size.

        Probabilities where the activation is "none", else logits. The predictor gets copies, at most `batch_size`
        pictures a call, half as many where memory runs out.
        """
        pictures = np.array(views if isinstance(views, np.ndarray) else [view.pixels for view in views])
        if len(pictures) == 0:
            return np.zeros((0, len(self.classes)), np.float32)
        expected = (*self.geometry.input_size, 3)
        if pictures.dtype != np.uint8 or pictures.shape[1:] != expected:
            raise ModelError(
                f"expected (N, {', '.join(map(str, expected))}) uint8 pictures for {self.name}; "
                f"got {pictures.shape} {pictures.dtype}"
            )
        scores = self._scores(self._answer(pictures))
        self._check_values(scores)
        return scores

    def _answer(self, pictures: ByteArray) -> FloatArray:
        """(N, outputs) float32 of the predictor."""

        def run(start: int, stop: int) -> torch.Tensor:
            return torch.from_numpy(self._rows(self._predictor(pictures[start:stop]), stop - start))

        try:
            return in_batches(run, len(pictures), self.batch_size).numpy()
        except LumiscopeError:
            raise
        except Exception as error:  # a black box raises whatever it likes
            reason = str(error).strip().split("\n")[0]
            raise ModelError(
                f"{self.spec} failed on {pictures.shape} uint8 pictures: {type(error).__name__}: {reason}"
            ) from error

    def _rows(self, answer: object, count: int) -> FloatArray:
        """(count, outputs) float32 of whatever the predictor gave for `count` pictures."""
        if isinstance(answer, torch.Tensor):
            answer = answer.detach().cpu().float().numpy()
        try:
            numbers: NDArray[np.float32] = np.asarray(answer, np.float32)
        except (TypeError, ValueError) as error:
            came = f"{type(answer).__name__} that is no array of numbers"
            raise ModelError(f"expected (N, classes) numbers from {self.spec}; got {came}") from error
        rows = numbers[:, None] if numbers.ndim == 1 else numbers
        if rows.ndim > 2 and set(rows.shape[2:]) == {1}:
            rows = rows.reshape(rows.shape[:2])
        if rows.ndim != 2 or len(rows) != count or rows.shape[1] == 0:
            raise ModelError(
                f"expected ({count}, classes) numbers from {self.spec} for {count} pictures; got {numbers.shape}"
            )
        return rows

    def _scores(self, answer: FloatArray) -> FloatArray:
        """(N, classes) of (N, outputs): one output becomes two classes. Errors: another number than the names."""
        if answer.shape[1] == 1:
            answer = np.hstack([1 - answer if self.activation == "none" else -answer, answer])
        if answer.shape[1] != len(self.classes):
            raise ModelError(
                f"expected {len(self.classes)} scores a picture from {self.spec}, one for each class name; got "
                f"{answer.shape[1]}. Check --classes FILE (one name a line, in the order of the scores)."
            )
        return answer

    def _check_values(self, scores: FloatArray) -> None:
        finite = np.isfinite(scores).all(axis=1)
        if not finite.all():
            raise ModelError(
                f"expected finite scores; {self.name} gives NaN or infinity for {(~finite).sum()} of {len(scores)} "
                "pictures. Check the model, and --mean and --std where lumiscope normalises."
            )
        if self.activation == "none":
            check_probabilities(scores, self.name)


def noise(geometry: Geometry) -> ByteArray:
    """(2, h, w, 3): two views of noise, always the same."""
    return np.random.default_rng(0).integers(0, 256, (2, *geometry.input_size, 3), dtype=np.uint8)


def check_probabilities(scores: FloatArray, name: str) -> None:
    """Errors: `ModelError` where numbers that are said to be probabilities are none."""
    low, high = float(scores.min()), float(scores.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise ModelError(
            f"expected probabilities from {name}; got numbers from {low:.3g} to {high:.3g}. If they are logits, say "
            "what makes probabilities of them: --activation softmax or sigmoid."
        )


def _activation(answer: FloatArray, said: Activation | None) -> tuple[Activation, tuple[str, ...]]:
    """What the numbers of a black box are, and a note where nobody said it. `answer`: (N, outputs), of noise."""
    single = answer.shape[1] == 1
    if said is not None:
        return ("sigmoid" if single and said == "softmax" else said), ()
    if not single and answer.min() >= 0 and np.allclose(answer.sum(axis=1), 1, atol=1e-3):
        return "none", ("its scores add up to 1 and are taken for probabilities",)
    usual: Activation = "sigmoid" if single else "softmax"
    return usual, (f"its scores are taken for logits ({usual}); if they are probabilities, say --activation none",)
