"""From a spec and what the user adds to it to a model that runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import Geometry, GeometryMode
from lumiscope.models.options import BuildOptions, height_width, three_numbers
from lumiscope.models.sources import Preprocessing, find_source
from lumiscope.models.torch_model import TorchModel
from lumiscope.models.weights import fit_weights, read_weights

RANDOM = "random"


def load_model(
    spec: str,
    *,
    weights: str | Path | None = None,
    classes: str | Path | Sequence[str] | None = None,
    num_classes: int | None = None,
    model_options: Mapping[str, Any] | None = None,
    mean: float | Iterable[float] | None = None,
    std: float | Iterable[float] | None = None,
    input_size: int | Iterable[int] | None = None,
    geometry: GeometryMode = "crop",
    interpolation: str | None = None,
    weights_partial: bool = False,
    name: str | None = None,
) -> TorchModel:
    """Load a model.

    `spec`: `timm:NAME`, `torchvision:NAME[@WEIGHTS]` or `python:package.module:factory`.
    `weights`: a file of your own; "random": none at all; None: the source's pretrained weights.
    `weights_partial`: let weights that do not fit be left out.
    `classes`: a text file with one class name a line, or the names.
    `num_classes`: None: as many as `classes` has, else the source's.
    `model_options`: keyword arguments for the factory.
    `mean`, `std`: of RGB in [0, 1], one number or three.
    `input_size`: one number or (height, width).
    `geometry`: "crop" (resize and centre-crop as the model's own config says) or "squash" (resize straight to the
    input size, bilinear unless `interpolation` says otherwise).
    `name`: what to call it; None: made from the spec.

    Errors: `UsageError`, `WeightsError`, `ModelError`.
    """
    if geometry not in ("crop", "squash"):
        raise UnknownNameError("geometry", str(geometry), ["crop", "squash"])
    source, rest = find_source(spec)
    names = read_classes(classes) if classes is not None else None
    own_file = None if weights in (None, RANDOM) else Path(str(weights))
    state = read_weights(own_file) if own_file is not None else None
    derived = num_classes is None and own_file is not None and names is not None
    options = BuildOptions(len(names or ()) if derived else num_classes, derived, dict(model_options or {}))
    loaded = source.build(rest, options, pretrained=weights is None)
    notes = _assumptions(loaded.preprocessing, input_size, mean, std)
    if own_file is not None and state is not None:
        hint = f"{classes} has {options.num_classes} class names." if derived else ""
        left_out = fit_weights(loaded.module, state, own_file, partial=weights_partial, hint=hint)
        notes += [f"weights left out: {left_out}"] if left_out else []
    if weights == RANDOM:
        notes.append("random weights: what follows says nothing about a trained model")
    loaded.module.eval()
    return TorchModel(
        loaded.module,
        _geometry(loaded.preprocessing, geometry, height_width(input_size), interpolation),
        mean=three_numbers(mean, "mean") or loaded.preprocessing.mean,
        std=three_numbers(std, "std") or loaded.preprocessing.std,
        classes=names or (loaded.classes if own_file is None else None),
        name=name or default_name(spec),
        spec=spec,
        options=options.arguments(),
        notes=tuple(notes),
    )


def _assumptions(preprocessing: Preprocessing, *given: object) -> list[str]:
    """What was assumed of the preprocessing because neither the model nor the user says it."""
    if preprocessing.stated:
        return []
    values = zip(("input size 224×224", "ImageNet mean", "ImageNet std"), given, strict=True)
    assumed = [what for what, value in values if value is None]
    return [f"nothing states this model's preprocessing; assumed: {', '.join(assumed)}"] if assumed else []


def _geometry(
    preprocessing: Preprocessing, mode: GeometryMode, size: tuple[int, int] | None, interpolation: str | None
) -> Geometry:
    """The view's geometry; another input size keeps the model's own ratio of crop to resize."""
    if mode == "squash" or preprocessing.squash:
        own = preprocessing.interpolation if mode == "crop" else "bilinear"
        return Geometry(size or preprocessing.input_size, mode="squash", interpolation=interpolation or own)
    resize = preprocessing.resize_size
    if size is not None:
        own_size = preprocessing.input_size
        resize = (size[0] * resize[0] // own_size[0], size[1] * resize[1] // own_size[1])
    return Geometry(
        size or preprocessing.input_size,
        mode="crop",
        resize_size=resize,
        interpolation=interpolation or preprocessing.interpolation,
    )


def read_classes(classes: str | Path | Sequence[str]) -> tuple[str, ...]:
    """Read class names, one a line, or take a list of them; trailing blank lines are left out. Errors: `UsageError`."""
    if not isinstance(classes, (str, Path)):
        return tuple(classes)
    path = Path(classes)
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"expected a text file with one class name a line at {path}: {error}") from error
    if not lines:
        raise UsageError(f"expected a text file with one class name a line; {path} is empty")
    blank = [number for number, line in enumerate(lines, 1) if not line.strip()]
    if blank:
        raise UsageError(
            f"{path} has a blank line at {blank[0]}: every line names one class, in the order of the logits"
        )
    return tuple(line.strip() for line in lines)


def default_name(spec: str) -> str:
    """A short name for a model: `resnet50` of `timm:resnet50.a1_in1k`."""
    last = re.split(r"[:/]", spec)[-1]
    return re.split(r"[@.]", last)[0] or spec
