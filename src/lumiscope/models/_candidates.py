"""What a model returns that may be its scores: it may give features, labels and losses beside them."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import torch

from lumiscope.models._score_kind import are_whole

Step = Callable[[Any], Any]
SCORES = ("logits", "scores", "probabilities", "probs", "probability", "prob", "predictions", "output_probability")
FEATURES = frozenset(
    {"features", "feature", "feats", "embedding", "embeddings", "image_embeds", "pooler_output", "pooled"}
    | {"last_hidden_state", "hidden_states", "x_norm_clstoken"}
)
DEPTH = 3
LISTED = 8


@dataclass(frozen=True)
class Candidate:
    """An output that may be the scores. `name`: its keys and numbers with dots. `steps`: from what the model returns
    to it. `rows`: (B, outputs), with its gradient; (B, 1) of one number an image.
    """

    name: str
    steps: tuple[Step, ...]
    rows: torch.Tensor

    @property
    def is_label(self) -> bool:
        """Whether it is one whole number an image, as a label in another type is."""
        return self.outputs == 1 and self.is_whole

    @property
    def is_whole(self) -> bool:
        """Whether all its numbers are whole, and no gradient says that they are whole by chance, as saturated ones."""
        return self.rows.grad_fn is None and are_whole(self.rows.detach().float().cpu().numpy())

    @property
    def outputs(self) -> int:
        """How many numbers an image has."""
        return self.rows.shape[1]

    @property
    def last_name(self) -> str:
        """Its own key in lower case."""
        return self.name.rpartition(".")[2].lower()

    @property
    def is_features(self) -> bool:
        """Whether it is called what no scores are."""
        return self.last_name in FEATURES

    def fits(self, names: int) -> bool:
        """Whether it has a score for each of so many class names; one number stands for two classes."""
        return names == self.outputs or (names == 2 and self.outputs == 1)

    def of(self, output: Any) -> Any:
        """It, in what the model returns, also where that is only traced."""
        return functools.reduce(lambda part, step: step(part), self.steps, output)


def candidates(output: object, images: int) -> list[Candidate]:
    """Every tensor or array in `output` that has a row of numbers for each of so many images.

    Those of whole numbers by their type are labels, and none of them.
    """
    parts = ((name, steps, _rows(value, images)) for name, steps, value in _parts(output))
    return [Candidate(name, steps, rows) for name, steps, rows in parts if rows is not None]


def _parts(output: object, name: str = "", steps: tuple[Step, ...] = ()) -> Iterator[tuple[str, tuple[Step, ...], Any]]:
    if isinstance(output, list) and output and np.ndim(output[0]) <= 1 and not hasattr(output[0], "ndim"):
        output = _as_array(output)
    if isinstance(output, torch.Tensor | np.ndarray):
        yield name, steps, output
    elif len(steps) < DEPTH:
        for key, step, value in _children(output):
            yield from _parts(value, f"{name}.{key}".removeprefix("."), (*steps, step))


def _as_array(numbers: list[Any]) -> object:
    """Rows of plain numbers as an array; anything else as it is."""
    try:
        array = np.asarray(numbers)
    except ValueError:  # rows of other lengths
        return numbers
    return array if array.dtype.kind in "iuf" else numbers


def _children(output: object) -> list[tuple[str, Step, object]]:
    if isinstance(output, Mapping):
        return [(str(key), operator.itemgetter(key), value) for key, value in output.items()]
    if isinstance(output, tuple | list):
        names = getattr(output, "_fields", range(len(output)))  # of a named tuple
        places = zip(names, range(len(output)), output, strict=True)
        return [(str(name), operator.itemgetter(place), value) for name, place, value in places]
    held = getattr(output, "__dict__", {})
    if is_dataclass(output):
        held = {part.name: getattr(output, part.name) for part in fields(output)} | held  # which may have slots
    return [(key, operator.attrgetter(key), value) for key, value in held.items() if not key.startswith("_")]


def _rows(value: torch.Tensor | np.ndarray[Any, Any], images: int) -> torch.Tensor | None:
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "f":
            return None
        value = torch.from_numpy(value)
    if not value.is_floating_point() or value.ndim == 0 or len(value) != images or 0 in value.shape:
        return None
    if value.ndim > 2 and set(value.shape[2:]) == {1}:
        value = value.flatten(1)
    rows = value[:, None] if value.ndim == 1 else value
    return rows if rows.ndim == 2 else None


def choice_notes(chosen: Candidate, output: object) -> tuple[str, ...]:
    """What is noted where one of several parts of `output` was taken; nothing where there is only one."""
    names = [name for name, _, _ in _parts(output)]
    if len(names) < 2:
        return ()
    listed = ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")
    return (f"it has several outputs ({listed}): {chosen.name} is taken for the scores; --output chooses another",)


def no_scores(output: object) -> str:
    """Why nothing in `output` can be scores, in words."""
    parts = [f"{name or 'one tensor'} {tuple(value.shape)} {value.dtype}" for name, _, value in _parts(output)]
    return f"got {', '.join(parts[:LISTED]) or type(output).__name__}; whole numbers are labels, never scores"


def holds_several(output: object) -> bool:
    """Whether `output` holds arrays, by number or name, and is no list of rows."""
    if isinstance(output, tuple | list):
        return any(getattr(part, "ndim", 0) > 1 or isinstance(part, Mapping) for part in output)
    return isinstance(output, Mapping) or (not hasattr(output, "ndim") and hasattr(output, "__dict__"))
