"""Which of a model's outputs are its scores: it may give features, labels and losses beside them."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.models._score_kind import kind_of

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

    Whole numbers are labels, never scores.
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
        return [(str(place), operator.itemgetter(place), value) for place, value in enumerate(output)]
    held = getattr(output, "__dict__", {})
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


def choose_output(among: Sequence[Candidate], spec: str, *, output: str | None, names: int | None) -> Candidate:
    """The scores among at least one candidate: the one asked for, else the one that fits the number of class names.

    Of several: what is called so; what is not called features; what another of them is made into; probabilities; the
    first. Errors: `UnknownNameError` for an `output` that is not there, `ModelError` where none of several fits.
    """
    if output is not None:
        known = [candidate.name for candidate in among]
        if known == [""]:
            raise UsageError(f"{spec} has a single output; got --output {output}. Leave it out.")
        if output not in known:
            raise UnknownNameError(f"output of {spec}", output, known, hint=f"Its outputs are {in_words(among)}.")
        return among[known.index(output)]
    fitting = [candidate for candidate in among if names is None or candidate.fits(names)]
    if not fitting:
        if len(among) == 1:
            return among[0]
        raise ModelError(
            f"expected an output of {spec} with a number for each of {names} class names; its outputs are "
            f"{in_words(among)}. Check --classes FILE (one name a line), and say which is meant by --output NAME."
        )
    signs: tuple[Callable[[Candidate], bool], ...] = (
        lambda candidate: candidate.last_name in SCORES,
        lambda candidate: not candidate.is_features,
        lambda candidate: any(_is_made_of(candidate, other) for other in fitting),
        lambda candidate: kind_of(candidate.rows.detach().float().cpu().numpy()) == "shares",
    )
    for sign in signs:
        fitting = [candidate for candidate in fitting if sign(candidate)] or fitting
    return min(fitting, key=lambda candidate: SCORES.index(candidate.last_name) if candidate.last_name in SCORES else 0)


def _is_made_of(candidate: Candidate, other: Candidate) -> bool:
    """Whether autograd leads from a candidate back to another one."""
    if other is candidate or candidate.rows.grad_fn is None or other.rows.grad_fn is None:
        return False
    seen: set[Any] = set()
    queue: list[Any] = [candidate.rows.grad_fn]
    while queue:
        step = queue.pop()
        if step is None or step in seen:
            continue
        if step is other.rows.grad_fn and step is not candidate.rows.grad_fn:
            return True
        seen.add(step)
        queue += [before for before, _ in step.next_functions]
    return False


def in_words(among: Sequence[Candidate]) -> str:
    """ "0 (512 numbers), 1 (10 numbers)"."""
    return ", ".join(f"{candidate.name or 'the tensor'} ({candidate.outputs} numbers)" for candidate in among)


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
