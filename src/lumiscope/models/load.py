"""From a spec and what the user adds to it to a model that runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, get_args
from urllib.parse import urlsplit

import torch

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.images import Geometry, GeometryMode
from lumiscope.models._class_names import Classes, class_names, read_classes
from lumiscope.models._class_values import ClassNames
from lumiscope.models._device import usable_device
from lumiscope.models._reading import WITHOUT, numbers_of_channels
from lumiscope.models._several_labels import ASSUMED as ASSUMED_SOFTMAX
from lumiscope.models._several_labels import check_single_label
from lumiscope.models._untrained import say_untrained
from lumiscope.models.black_box import BlackBox, check_probabilities, noise
from lumiscope.models.channels import RGB
from lumiscope.models.options import BuildOptions, band_numbers, channel_numbers, check_normalisation, height_width
from lumiscope.models.sources import Loaded, LoadedBlackBox, Preprocessing, find_source
from lumiscope.models.torch_model import TorchModel
from lumiscope.models.vision_model import Activation
from lumiscope.models.weights import AskedWeights, Weights, check_weights, fit_weights, read_checkpoint
from lumiscope.runs import ASSUMED_OF_PREPROCESSING

ASSUMED = {"input_size": "input size 224×224", "mean": "ImageNet mean", "std": "ImageNet std"}


def check_asked(
    spec: str,
    *,
    weights: Weights = None,
    classes: Classes | None = None,
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
    if (own_file := AskedWeights.of(weights).file) is not None:
        check_weights(own_file)


def load_model(
    spec: str,
    *,
    weights: Weights = None,
    classes: Classes | None = None,
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
    output: str | None = None,
    bands: Iterable[int] | None = None,
    shown_bands: Iterable[int] | None = None,
    device: str | None = None,
) -> TorchModel | BlackBox:
    """Load a model: a torch network, or a black box where the spec names something that can only predict.

    `spec`: `timm:NAME`, `torchvision:NAME[@WEIGHTS]`, `hf-hub:ORG/NAME`, `local-dir:FOLDER`, `world:NAME`,
    `python:package.module:factory`, `onnx:FILE`, `http://ADDRESS` or `https://ADDRESS`; see docs/models.md.
    `weights`: a file of your own; "random": none at all; None: the source's pretrained weights. "random-head", alone
    or in a list with one of these: explain classes although layers that decide them are not trained.
    `weights_partial`: let weights that do not fit be left out.
    `classes`: a file of class names, see `class_names`; or the names, or a map from index to name.
    `num_classes`: None: as many as `classes` has, else the source's.
    `model_options`: keyword arguments for the factory; for onnx and http their options.
    `mean`, `std`: of RGB in [0, 1], one number or three; of luminance for a network of one channel.
    `input_size`: one number or (height, width).
    `geometry`: "crop" (resize and centre-crop as the model's own config says) or "squash" (resize straight to the
    input size, bilinear unless `interpolation` says otherwise).
    `name`: what to call it; None: made from the spec.
    `activation`: what makes probabilities of the outputs: "softmax", "sigmoid" (several classes may be true) or "none"
    (they are probabilities); None: what the source says; else what their values on noise look like, with a note.
    `output`: which of several outputs are the scores, by its name or number; None: what fits the class names, with a
    note.
    `bands`: which bands of a file the network is given, in its order: numbers from 0; None: all of them, where it takes
    another number of channels than 1 and 3. `shown_bands`: the three that are shown; None: the first.
    `device`: "cpu" (None), "cuda", "cuda:1" or "mps".

    Errors: `UsageError`, `WeightsError`, `ModelError`.
    """
    check_asked(spec, weights=weights, classes=classes, geometry=geometry, activation=activation, device=device)
    normalisation = channel_numbers(mean, "mean"), channel_numbers(std, "std")
    place = usable_device(device)
    source, rest = find_source(spec)
    read = class_names(classes) if classes is not None else None
    names = read and read.names
    asked_weights = AskedWeights.of(weights)
    checkpoint = read_checkpoint(asked_weights.file) if asked_weights.file is not None else None
    derived = num_classes is None and checkpoint is not None and names is not None
    options = BuildOptions(len(names or ()) if derived else num_classes, derived, dict(model_options or {}))
    loaded = source.build(rest, options, pretrained=asked_weights.pretrained)
    asked = _Asked(
        spec,
        name or default_name(spec),
        read,
        num_classes,
        geometry,
        interpolation,
        activation,
        output,
        place,
        *normalisation,
        bands=band_numbers(bands, "bands"),
        shown_bands=band_numbers(shown_bands, "shown_bands"),
        input_size=height_width(input_size),
    )
    if isinstance(loaded, LoadedBlackBox):
        if weights is not None:
            raise UsageError(f"{spec} brings its own weights; got --weights {weights}")
        return asked.black_box(loaded)
    notes, unloaded = [], loaded.unloaded
    if checkpoint is not None:
        hint = f"{classes} has {options.num_classes} class names." if derived else ""
        fit = fit_weights(loaded.module, checkpoint, partial=weights_partial, hint=hint)
        notes, unloaded = list(fit.notes), fit.unloaded
    if asked_weights.random:
        notes.append("random weights: what follows says nothing about a trained model")
    own_classes = loaded.classes if checkpoint is None or loaded.keeps_classes else None
    model = asked.torch_model(replace(loaded, classes=own_classes), options.arguments(), notes)
    if own_classes is not None or asked_weights.random:
        model.notes = tuple(note for note in model.notes if note != ASSUMED_SOFTMAX)
    elif model.scores.assumed:
        files = (file for file in (asked_weights.file, classes) if isinstance(file, str | PurePath))
        check_single_label(spec, [name, *(PurePath(file).name for file in files)])
    say_untrained(model, unloaded, wanted=asked_weights.random_head)
    return model


@dataclass(frozen=True)
class _Asked:
    """What the user asked for, beyond what is built; None: what the source says."""

    spec: str
    name: str
    classes: ClassNames | None
    num_classes: int | None
    mode: GeometryMode
    interpolation: str | None
    activation: Activation | None
    output: str | None
    device: torch.device
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    bands: tuple[int, ...] | None
    shown_bands: tuple[int, ...] | None
    input_size: tuple[int, int] | None

    def torch_model(self, loaded: Loaded, options: Mapping[str, Any], notes: Sequence[str]) -> TorchModel:
        """Put the network in its place and make it a model."""
        preprocessing = self._preprocessing(loaded.preprocessing)
        model = TorchModel(
            loaded.module.eval().to(self.device),
            self._geometry(preprocessing),
            mean=self._of_bands("mean", preprocessing),
            std=self._of_bands("std", preprocessing),
            classes=self.classes.names if self.classes else loaded.classes,
            activation=self.activation or loaded.activation,
            output=self.output,
            bands=self.bands,
            shown_bands=self.shown_bands,
            name=self.name,
            spec=self.spec,
            options=options,
            notes=(*self._about_classes(), *loaded.notes, *notes),
        )
        self._check_normalisation(model)
        model.notes = (*self._assumptions(loaded.preprocessing, bands=model.reading.of_bands), *model.notes)
        if model.activation == "none":
            check_probabilities(model.predict(noise(model.geometry)), self.spec)
        return model

    def black_box(self, loaded: LoadedBlackBox) -> BlackBox:
        """Connect a model that can only predict. Errors: `UsageError` for what it cannot be told."""
        of_model, spec = loaded.preprocessing, self.spec
        if self.bands is not None or self.shown_bands is not None:
            raise UsageError(f"{spec} takes RGB pictures; --bands and --shown-bands mean nothing to it")
        if loaded.normalises and (self.mean or self.std):
            raise UsageError(f"{spec} takes 8-bit pixels as they are; --mean and --std mean nothing to it")
        if loaded.fixed_size and self.input_size not in (None, of_model.input_size):
            raise UsageError(
                f"{spec} takes pictures of {of_model.input_size} (height, width) alone; got {self.input_size}"
            )
        if self.device.type not in loaded.devices:
            raise UsageError(f"{spec} cannot be put on {self.device}: it runs where it runs. Leave --device out.")
        rgb = replace(self, mean=self._of_rgb("mean", self.mean), std=self._of_rgb("std", self.std))
        check_normalisation(rgb.mean, rgb.std)
        preprocessing = rgb._preprocessing(of_model)
        model = BlackBox(
            loaded.connect(preprocessing, self.device),
            self._geometry(preprocessing),
            classes=self.classes.names if self.classes else loaded.classes,
            activation=self.activation or loaded.activation,
            output=self.output,
            name=self.name,
            spec=spec,
            batch_size=loaded.batch_size,
            mean=None if loaded.normalises else preprocessing.mean,
            std=None if loaded.normalises else preprocessing.std,
            identity=loaded.identity,
            notes=(*self._assumptions(of_model), *self._about_classes(), *loaded.notes),
        )
        if self.num_classes not in (None, len(model.classes)):
            raise ModelError(f"expected {self.num_classes} classes; {spec} has {len(model.classes)}")
        return model

    def _preprocessing(self, of_model: Preprocessing) -> Preprocessing:
        return replace(of_model.of_size(self.input_size), mean=self.mean or of_model.mean, std=self.std or of_model.std)

    def _of_bands(self, what: str, preprocessing: Preprocessing) -> tuple[float, ...]:
        """What is taken off, or divided by; nothing where bands are asked for and only RGB's numbers are assumed."""
        said = getattr(self, what) is not None or what in preprocessing.stated or self.bands is None
        numbers: tuple[float, ...] = getattr(preprocessing, what) if said else ()
        return numbers

    def _check_normalisation(self, model: TorchModel) -> None:
        """Errors: `UsageError` where what the user says fits not the channels, or no picture in [0, 1]."""
        mean, std = (
            None if given is None else numbers_of_channels(given, model.channels, f"{what} of {self.spec}")
            for what, given in (("mean", self.mean), ("std", self.std))
        )
        if not model.reading.of_bands:
            check_normalisation(mean, std)
            check_normalisation(model.mean, model.std)  # which the network may state

    def _of_rgb(self, what: str, numbers: tuple[float, ...] | None) -> tuple[float, ...] | None:
        return None if numbers is None else numbers_of_channels(numbers, RGB, f"{what} of {self.spec}")

    def _geometry(self, preprocessing: Preprocessing) -> Geometry:
        size, of_model = preprocessing.input_size, preprocessing.interpolation
        if self.mode == "crop" and not preprocessing.squash:
            return Geometry(size, "crop", preprocessing.resize_size, self.interpolation or of_model)
        chosen = self.interpolation or (of_model if self.mode == "crop" else "bilinear")
        stated = preprocessing.resize_size if self.mode == "crop" and preprocessing.resize_size != size else None
        return Geometry(size, "squash", stated, chosen)

    def _about_classes(self) -> list[str]:
        return [self.classes.note] if self.classes and self.classes.note else []

    def _assumptions(self, of_model: Preprocessing, *, bands: bool = False) -> list[str]:
        """What was assumed of the preprocessing because neither the model nor the user says it.

        Of `bands` their mean and std are said elsewhere.
        """
        assumed = [
            words
            for what, words in ASSUMED.items()
            if what not in of_model.stated and getattr(self, what) is None and not (bands and what in WITHOUT)
        ]
        return [ASSUMED_OF_PREPROCESSING + ", ".join(assumed)] if assumed else []


def default_name(spec: str) -> str:
    """A short name for a model: `resnet50` of `timm:resnet50.a1_in1k`; of an address its last part, or the server."""
    if spec.startswith(("http://", "https://")):
        try:
            address = urlsplit(spec)
        except ValueError:  # whoever connects says what is wrong with it
            return spec
        return address.path.rstrip("/").rpartition("/")[2] or address.netloc.replace(":", "-")
    last = re.split(r"[:/]", spec.rstrip("/"))[-1]
    return re.split(r"[@.]", last)[0] or spec
