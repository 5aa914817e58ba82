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
from lumiscope.models._candidates import Candidate, candidates, choice_notes, holds_several, no_scores
from lumiscope.models._choose_output import LABELS, choose_output
from lumiscope.models._probability_form import AS_THEY_ARE, NATURAL_LOGARITHMS, sure_form
from lumiscope.models._reading import picture_view
from lumiscope.models._score_kind import IN_WORDS, ScoreKind, are_labels, kind_of
from lumiscope.models.backends import in_batches
from lumiscope.models.vision_model import Activation, probabilities, unnamed_classes
from lumiscope.types import ByteArray, FloatArray

Predictor: TypeAlias = Callable[[ByteArray], object]
"""(N, h, w, 3) uint8 RGB -> (N, classes) numbers: an array, a tensor or nested lists."""
Normalisation = tuple[float, ...]
SAME = 1e-4  # of the largest score: what another picture beside it may change
MIXED = 1e-2  # and what may be changed by there being none, since other numbers of pictures are computed in other ways


class BlackBox:
    """A classifier of which nothing is known but its answers.

    `predictor`: (N, h, w, 3) uint8 pictures of the geometry's size to (N, classes) numbers; (N,) or (N, 1) is one
    number a picture, which stands for two classes, "no" and "yes". Where it gives several arrays, in a tuple or by
    name, `output` says which are the scores; None: what fits the class names, and a note says so.
    `activation`: what the numbers are. "none": probabilities; "softmax", "sigmoid": logits that these make
    probabilities of; None: probabilities where the answers to noise add up to 1 or lie in [0, 1], else logits
    (softmax; of one number sigmoid), and a note says so.
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
        output: str | None = None,
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
        self.notes = notes
        self._choice = _Choice(spec, output, None if classes is None else len(classes))
        self._form = AS_THEY_ARE
        answer = self._answer(noise(geometry))
        self.notes += self._choice.notes
        if activation is None and output is None:
            self._refuse_labels(answer)
        answer = self._undone(answer, activation)
        single = answer.shape[1] == 1
        if self._form == AS_THEY_ARE:
            self.activation, noted = _activation(self._kind(answer, activation), single, activation)
            self.notes += noted
        self.classes = classes or (("no", "yes") if single else unnamed_classes(answer.shape[1]))
        self._answer_to_noise = self._scores(answer)
        self._check_values(self._answer_to_noise)
        if self.batch_size > 1 and self._mixes(answer):
            self.batch_size = 1
            self.notes += ("its scores of a picture depend on those beside it, so each is asked for alone",)

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
        return picture_view(item, self.geometry)

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

    def _refuse_labels(self, answer: FloatArray) -> None:
        """Errors: `ModelError` for a whole number for each of all pictures of noise."""
        if are_labels(answer) and are_labels(self._answer(contrasts(self.geometry))):
            raise ModelError(f"expected (N, classes) scores from {self.spec}; got one whole number a picture: {LABELS}")

    def _kind(self, answer: FloatArray, said: Activation | None) -> ScoreKind:
        """What the numbers look like; further noise is asked about only where that is needed."""
        kind = kind_of(answer)
        if kind == "logits" or said is not None:
            return kind
        return kind_of(np.concatenate([answer, self._answer(contrasts(self.geometry))]))

    def _undone(self, answer: FloatArray, said: Activation | None) -> FloatArray:
        """The answer, and all later ones, in the form that methods explain; see `ProbabilityForm`.

        Such as shares of 1 where its numbers are percentages, and logarithms where it gives negated ones.
        """
        if (said is not None and kind_of(answer) != "logits") or sure_form(torch.from_numpy(answer)) is None:
            return answer  # before it is asked about more pictures
        form = sure_form(torch.from_numpy(np.concatenate([answer, self._answer(contrasts(self.geometry))])))
        if form is None or form == NATURAL_LOGARITHMS or said not in (None, form.activation):
            return answer
        self._form = form
        self.activation = form.activation
        self.notes += (form.note(said),)
        undone: torch.Tensor = form.line(torch.from_numpy(answer))
        return undone.numpy()

    def _mixes(self, answer: FloatArray) -> bool:
        """Whether the first picture of noise has another answer alone, or beside another than in `answer`."""
        (first, *_), beside = noise(self.geometry), contrasts(self.geometry)[0]
        alone = self._answer(np.stack([first]))[0]  # new arrays, as the predictor may write to what it is given
        other = self._answer(np.stack([first, beside]))[0]
        largest = float(np.abs(answer[0]).max())
        if np.abs(alone - answer[0]).max() <= MIXED * largest and np.abs(other - answer[0]).max() <= SAME * largest:
            return False
        again = self._answer(np.stack([first, beside]))[0]
        return bool(np.abs(again - other).max() <= SAME * largest)  # else others each time

    def _answer(self, pictures: ByteArray) -> FloatArray:
        """(N, outputs) float32 of the predictor."""

        def run(start: int, stop: int) -> torch.Tensor:
            rows = self._rows(self._predictor(pictures[start:stop]), stop - start)
            return torch.as_tensor(self._form.line(torch.from_numpy(rows)))

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
        answer = self._choice.of(answer, count)
        if isinstance(answer, torch.Tensor):
            answer = answer.detach().cpu().float().numpy()
        try:
            numbers: NDArray[np.float32] = np.asarray(answer, np.float32)
        except (TypeError, ValueError) as error:
            came = f"{type(answer).__name__} that is no array of numbers"
            raise ModelError(f"expected (N, classes) numbers from {self.spec}; got {came}") from error
        if numbers.size == count and np.asarray(answer).dtype.kind in "iub":
            raise ModelError(f"expected (N, classes) scores from {self.spec}; got whole numbers, which are labels")
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


def contrasts(geometry: Geometry) -> ByteArray:
    """(4, h, w, 3): pictures of other contrasts than `noise`: dim, bright, two halves, blocks of colour."""
    height, width = geometry.input_size
    fine = noise(geometry)
    halves = np.where(np.arange(width)[None, :, None] < width // 2, fine[0] // 4, 255 - fine[0] // 4)
    blocks = np.random.default_rng(1).integers(0, 256, (-(-height // 8), -(-width // 8), 3), dtype=np.uint8)
    coarse = blocks.repeat(8, 0).repeat(8, 1)[:height, :width]
    return np.stack([fine[0] // 8 + 8, 255 - fine[1] // 8, halves, coarse]).astype(np.uint8)


def check_probabilities(scores: FloatArray, name: str) -> None:
    """Errors: `ModelError` where numbers that are said to be probabilities are none."""
    low, high = float(scores.min()), float(scores.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise ModelError(
            f"expected probabilities from {name}; got numbers from {low:.3g} to {high:.3g}. If they are logits, say "
            "what makes probabilities of them: --activation softmax or sigmoid."
        )


def _activation(kind: ScoreKind, single: bool, said: Activation | None) -> tuple[Activation, tuple[str, ...]]:
    """What the numbers of a black box are, and a note where nobody said it. `single`: whether it is one a picture."""
    if said is not None:
        return ("sigmoid" if single and said == "softmax" else said), ()
    if kind != "logits":
        return "none", (f"its scores {IN_WORDS[kind]}; if they are logits, say --activation softmax or sigmoid",)
    usual: Activation = "sigmoid" if single else "softmax"
    return usual, (f"its scores are taken for logits ({usual}); if they are probabilities, say --activation none",)


class _Choice:
    """Which of the arrays that a predictor gives are its scores; decided by the first answer.

    `output`: the name asked for. `names`: how many class names there are. Either None: nobody said it.
    """

    def __init__(self, spec: str, output: str | None, names: int | None) -> None:
        self.spec = spec
        self.output = output
        self.names = names
        self.notes: tuple[str, ...] = ()
        self._chosen: Candidate | None = None

    def of(self, answer: object, count: int) -> object:
        """The scores in the answer to `count` pictures; an answer of one array is the scores."""
        if self._chosen is None and (self.output is not None or holds_several(answer)):
            among = candidates(answer, count)
            if not among and not holds_several(answer):
                return answer  # lists of numbers
            if not among:
                raise ModelError(f"expected (N, classes) numbers from {self.spec}; {no_scores(answer)}")
            self._chosen = choose_output(among, self.spec, output=self.output, names=self.names)
            self.notes = choice_notes(self._chosen, answer)
        return answer if self._chosen is None else self._chosen.of(answer)
