"""From a spec and what the user adds to it to a model that runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import torch

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.files import MOST_NAMES, read_text
from lumiscope.images import Geometry, GeometryMode
from lumiscope.models._device import usable_device
from lumiscope.models.black_box import BlackBox, check_probabilities, noise
from lumiscope.models.options import BuildOptions, height_width, three_numbers
from lumiscope.models.sources import Loaded, LoadedBlackBox, Preprocessing, find_source
from lumiscope.models.torch_model import TorchModel
from lumiscope.models.vision_model import Activation
from lumiscope.models.weights import check_weights, fit_weights, read_weights

RANDOM = "random"
ASSUMED = {"input_size": "input size 224×224", "mean": "ImageNet mean", "std": "ImageNet std"}


def check_asked(
    spec: str,
    *,
    weights: str | Path | None = None,
    classes: str | Path | Sequence[str] | None = None,
    geometry: str | None = None,
    activation: str | None = None,
    device: str | None = None,
) -> None:
    """Look up what `load_model` is given, as far as that needs no network. Errors: as `load_model`."""
    for kind, given, known in (("geometry", geometry, GeometryMode), ("activation", activation, Activation)):
        if given is not None and given not in get_args(known):
            raise UnknownNameError(kind, str(given), get_args(known))
    usable_device(device)
    find_source(spec)
    if classes is not None:
        read_classes(classes)
    if (own_file := _own_file(weights)) is not None:
        check_weights(own_file)


def _own_file(weights: str | Path | None) -> Path | None:
    return None if weights in (None, RANDOM) else Path(str(weights))


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
    activation: Activation | None = None,
    device: str | None = None,
) -> TorchModel | BlackBox:
    """Load a model: a torch network, or a black box where the spec names something that can only predict.

    `spec`: `timm:NAME`, `torchvision:NAME[@WEIGHTS]`, `hf-hub:ORG/NAME`, `local-dir:FOLDER`, `world:NAME`,
    `python:package.module:factory`, `onnx:FILE`, `http://ADDRESS` or `https://ADDRESS`; see docs/models.md.
    `weights`: a file of your own; "random": none at all; None: the source's pretrained weights.
    `weights_partial`: let weights that do not fit be left out.
    `classes`: a text file with one class name a line, or the names.
    `num_classes`: None: as many as `classes` has, else the source's.
    `model_options`: keyword arguments for the factory; for onnx and http their options.
    `mean`, `std`: of RGB in [0, 1], one number or three.
    `input_size`: one number or (height, width).
    `geometry`: "crop" (resize and centre-crop as the model's own config says) or "squash" (resize straight to the
    input size, bilinear unless `interpolation` says otherwise).
    `name`: what to call it; None: made from the spec.
    `activation`: what makes probabilities of the outputs: "softmax", "sigmoid" (several classes may be true) or "none"
    (they are probabilities); None: what the source says; "none" for a network that ends in a softmax or sigmoid; else
    softmax.
    `device`: "cpu" (None), "cuda", "cuda:1" or "mps".

    Errors: `UsageError`, `WeightsError`, `ModelError`.
    """
    check_asked(spec, weights=weights, classes=classes, geometry=geometry, activation=activation, device=device)
    place = usable_device(device)
    source, rest = find_source(spec)
    names = read_classes(classes) if classes is not None else None
    own_file = _own_file(weights)
    state = read_weights(own_file) if own_file is not None else None
    derived = num_classes is None and own_file is not None and names is not None
    options = BuildOptions(len(names or ()) if derived else num_classes, derived, dict(model_options or {}))
    loaded = source.build(rest, options, pretrained=weights is None)
    asked = _Asked(
        spec,
        name or default_name(spec),
        names,
        num_classes,
        geometry,
        interpolation,
        activation,
        place,
        mean=three_numbers(mean, "mean"),
        std=three_numbers(std, "std"),
        input_size=height_width(input_size),
    )
    if isinstance(loaded, LoadedBlackBox):
        if weights is not None:
            raise UsageError(f"{spec} brings its own weights; got --weights {weights}")
        return asked.black_box(loaded)
    notes = []
    if own_file is not None and state is not None:
        hint = f"{classes} has {options.num_classes} class names." if derived else ""
        left_out = fit_weights(loaded.module, state, own_file, partial=weights_partial, hint=hint)
        notes += [f"weights left out: {left_out}"] if left_out else []
    if weights == RANDOM:
        notes.append("random weights: what follows says nothing about a trained model")
    own_classes = loaded.classes if own_file is None else None
    return asked.torch_model(replace(loaded, classes=own_classes), options.arguments(), notes)


@dataclass(frozen=True)
class _Asked:
    """What the user asked for, beyond what is built; None: what the source says."""

    spec: str
    name: str
    classes: tuple[str, ...] | None
    num_classes: int | None
    mode: GeometryMode
    interpolation: str | None
    activation: Activation | None
    device: torch.device
    mean: tuple[float, float, float] | None
    std: tuple[float, float, float] | None
    input_size: tuple[int, int] | None

    def torch_model(self, loaded: Loaded, options: Mapping[str, Any], notes: Sequence[str]) -> TorchModel:
        """Put the network in its place and make it a model."""
        preprocessing = self._preprocessing(loaded.preprocessing)
        model = TorchModel(
            loaded.module.eval().to(self.device),
            self._geometry(preprocessing),
            mean=preprocessing.mean,
            std=preprocessing.std,
            classes=self.classes or loaded.classes,
            activation=self.activation,
            name=self.name,
            spec=self.spec,
            options=options,
            notes=(*self._assumptions(loaded.preprocessing), *notes),
        )
        if self.activation == "none":
            check_probabilities(model.predict(noise(model.geometry)), self.spec)
        return model

    def black_box(self, loaded: LoadedBlackBox) -> BlackBox:
        """Connect a model that can only predict. Errors: `UsageError` for what it cannot be told."""
        of_model, spec = loaded.preprocessing, self.spec
        if loaded.normalises and (self.mean or self.std):
            raise UsageError(f"{spec} takes 8-bit pixels as they are; --mean and --std mean nothing to it")
        if loaded.fixed_size and self.input_size not in (None, of_model.input_size):
            raise UsageError(
                f"{spec} takes pictures of {of_model.input_size} (height, width) alone; got {self.input_size}"
            )
        if self.device.type not in loaded.devices:
            raise UsageError(f"{spec} cannot be put on {self.device}: it runs where it runs. Leave --device out.")
        preprocessing = self._preprocessing(of_model)
        model = BlackBox(
            loaded.connect(preprocessing, self.device),
            self._geometry(preprocessing),
            classes=self.classes or loaded.classes,
            activation=self.activation or loaded.activation,
            name=self.name,
            spec=spec,
            batch_size=loaded.batch_size,
            mean=None if loaded.normalises else preprocessing.mean,
            std=None if loaded.normalises else preprocessing.std,
            identity=loaded.identity,
            notes=(*self._assumptions(of_model), *loaded.notes),
        )
        if self.num_classes not in (None, len(model.classes)):
            raise ModelError(f"expected {self.num_classes} classes; {spec} has {len(model.classes)}")
        return model

    def _preprocessing(self, of_model: Preprocessing) -> Preprocessing:
        return replace(of_model.of_size(self.input_size), mean=self.mean or of_model.mean, std=self.std or of_model.std)

    def _geometry(self, preprocessing: Preprocessing) -> Geometry:
        size, of_model = preprocessing.input_size, preprocessing.interpolation
        if self.mode == "crop" and not preprocessing.squash:
            return Geometry(size, "crop", preprocessing.resize_size, self.interpolation or of_model)
        chosen = self.interpolation or (of_model if self.mode == "crop" else "bilinear")
        return Geometry(size, mode="squash", interpolation=chosen)

    def _assumptions(self, of_model: Preprocessing) -> list[str]:
        """What was assumed of the preprocessing because neither the model nor the user says it."""
        assumed = [
            words for what, words in ASSUMED.items() if what not in of_model.stated and getattr(self, what) is None
        ]
        return [f"nothing states this model's preprocessing; assumed: {', '.join(assumed)}"] if assumed else []


def read_classes(classes: str | Path | Sequence[str]) -> tuple[str, ...]:
    """Read class names, one a line, or take a list of them; trailing blank lines are left out. Errors: `UsageError`."""
    if not isinstance(classes, (str, Path)):
        return tuple(classes)
    path = Path(classes)
    try:
        lines = read_text(path, MOST_NAMES, "utf-8-sig").rstrip().splitlines()
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
    """A short name for a model: `resnet50` of `timm:resnet50.a1_in1k`; of an address its last part, or the server."""
    if spec.startswith(("http://", "https://")):
        address = urlsplit(spec)
        return address.path.rstrip("/").rpartition("/")[2] or address.netloc.replace(":", "-")
    last = re.split(r"[:/]", spec.rstrip("/"))[-1]
    return re.split(r"[@.]", last)[0] or spec
