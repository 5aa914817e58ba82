"""What a model is to everybody else: views in, logits out, and names for the classes."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from scipy.special import expit, softmax

from lumiscope.errors import TargetError
from lumiscope.images import Geometry, ImageItem, View
from lumiscope.types import ByteArray, DoubleArray, FloatArray

Activation = Literal["softmax", "sigmoid", "none", "raw"]


@runtime_checkable
class VisionModel(Protocol):
    """Any image classifier."""

    @property
    def name(self) -> str:
        """What the user calls it."""
        ...

    @property
    def spec(self) -> str:
        """Where it comes from."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """One name a logit."""
        ...

    @property
    def activation(self) -> Activation:
        """What makes probabilities of its scores."""
        ...

    @property
    def geometry(self) -> Geometry:
        """How an image becomes its view."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash of everything its outputs depend on."""
        ...

    def view(self, item: ImageItem) -> View:
        """Return what the model sees of `item`."""
        ...

    def predict(self, views: Sequence[View] | ByteArray) -> FloatArray:
        """Return (N, classes) float32 raw scores of views, or of (N, h, w, 3) uint8 pixels of their size.

        Logits; probabilities where the activation is "none"; where it is "raw", activations of units.
        """
        ...


def probabilities(scores: FloatArray, activation: Activation) -> DoubleArray:
    """(N, classes) float64 probabilities of (N, classes) raw scores.

    "softmax": one class of all; "sigmoid": each class yes or no; "none": the scores are probabilities already.
    "raw": there are none; the scores, such as activations of units, stand for themselves.
    """
    wide = scores.astype(np.float64)
    if activation in ("none", "raw"):
        return wide
    return np.asarray(softmax(wide, axis=1) if activation == "softmax" else expit(wide))


def class_index(model: VisionModel, name: str | int) -> int:
    """Find a class by index or by name (whole, or one of its comma-separated synonyms; letter case does not matter).

    Errors: `TargetError` for an index out of range, an unknown name (with the nearest) or one that several classes
    share.
    """
    if not isinstance(name, str):
        name = operator.index(name)
        if not 0 <= name < len(model.classes):
            raise TargetError(f"expected a class index from 0 to {len(model.classes) - 1} for {model.name}; got {name}")
        return name
    named = _indices(model.classes, name)
    if len(named) == 1:
        return named[0]
    if named:
        raise TargetError(f"{name!r} names several classes of {model.name}: {named}. Give one of these numbers.")
    synonyms = [part.strip() for known in model.classes for part in known.split(",")]
    near = difflib.get_close_matches(name, synonyms, n=3, cutoff=0.5)
    advice = "did you mean " + " or ".join(near) + "?" if near else f"it has {len(model.classes)} classes."
    raise TargetError(f"{model.name} has no class {name!r}: {advice}")


def _indices(classes: Sequence[str], name: str) -> list[int]:
    wanted = name.strip().lower()
    whole = [index for index, known in enumerate(classes) if known.strip().lower() == wanted]
    if whole:
        return whole
    return [
        index for index, known in enumerate(classes) if wanted in [part.strip().lower() for part in known.split(",")]
    ]


def label_index(model: VisionModel, item: ImageItem) -> int | None:
    """The label of `item` as a class of this model, or None where it has none.

    A label's number means something only in its own list of classes, so where the image also has class names, the
    first name that is among the model's classes decides: the number holds if the model calls that class so, else the
    class of that name is taken.
    """
    number = item.label if item.label is not None and item.label < len(model.classes) else None
    if not item.class_names or (item.label is not None and not _has_names(model)):
        return number
    named = next(filter(None, (_indices(model.classes, name) for name in item.class_names)), [])
    if number in named:
        return number
    return named[0] if len(named) == 1 else None


def unmatched_labels(model: VisionModel, items: Iterable[ImageItem]) -> str:
    """How many images have a label that is none of the model's classes, in words; "" where every label is one."""
    labelled = [item for item in items if item.label is not None or item.class_names]
    strangers = [item for item in labelled if label_index(model, item) is None]
    if not strangers:
        return ""
    names = dict.fromkeys(item.class_names[0] if item.class_names else str(item.label) for item in strangers)
    shown = ", ".join(repr(name) for name in list(names)[:3]) + (", …" if len(names) > 3 else "")
    advice = "" if _has_names(model) else "; its classes have no names, which --classes FILE gives"
    return (
        f"{len(strangers)} of {len(labelled)} labels are none of its classes ({shown}): these images count as without "
        f"a label{advice}"
    )


def mask_shows_label(model: VisionModel, item: ImageItem) -> bool | None:
    """Whether the ground-truth mask covers what the model's label of `item` names; None without mask or label.

    Of several class names the mask shows the first: the mask of a fish in a meadow is no truth about "meadow".
    """
    label = label_index(model, item)
    if not item.has_mask or label is None:
        return None
    return len(item.class_names) < 2 or label in _indices(model.classes, item.class_names[0])


def _has_names(model: VisionModel) -> bool:
    return model.classes != unnamed_classes(len(model.classes))


def unnamed_classes(count: int) -> tuple[str, ...]:
    """The names of classes that nobody named."""
    return tuple(f"class {index}" for index in range(count))
