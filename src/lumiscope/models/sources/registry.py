"""Where models come from: one module a scheme, found by the decorator `model_source`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch

from lumiscope.errors import UsageError
from lumiscope.models.black_box import Predictor
from lumiscope.models.options import BuildOptions
from lumiscope.models.vision_model import Activation
from lumiscope.registry import Registry
from lumiscope.requirement import Requirement
from lumiscope.specs import Paths, no_path

STATEMENTS = frozenset({"input_size", "mean", "std"})


@dataclass(frozen=True)
class Preprocessing:
    """What a model expects of a picture. `resize_size`: (height, width) of which the centre is cropped.

    `stated`: of `input_size`, `mean` and `std` those that the model itself says; the others are merely defaults.
    """

    input_size: tuple[int, int] = (224, 224)
    resize_size: tuple[int, int] = (256, 256)
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    interpolation: str = "bilinear"
    squash: bool = False
    stated: frozenset[str] = STATEMENTS

    def of_size(self, size: tuple[int, int] | None) -> Preprocessing:
        """The same for another input size, in the same ratio of crop to resize."""
        if size is None:
            return self
        resize = (
            size[0] * self.resize_size[0] // self.input_size[0],
            size[1] * self.resize_size[1] // self.input_size[1],
        )
        return replace(self, input_size=size, resize_size=resize)


@dataclass(frozen=True)
class Loaded:
    """A network as its source gives it, before the user's own weights.

    `classes`: the names of its own classes; None where the source does not know them. `unloaded`: keys of weights that
    pretrained ones were asked for and not had, as of a classifier for another number of classes. `keeps_classes`:
    whether the names hold for other weights, too. `activation`: None where the source does not know it.
    """

    module: torch.nn.Module
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    classes: tuple[str, ...] | None = None
    unloaded: frozenset[str] = frozenset()
    keeps_classes: bool = False
    activation: Activation | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedBlackBox:
    """A model that can only predict, as its source gives it.

    `connect`: makes the predictor, given the preprocessing with what the user changed of it, and the device.
    `classes`, `activation`: None where the source does not know them. `normalises`: whether it takes pixels as they
    are, so that mean and std mean nothing. `fixed_size`: whether it takes its own input size alone. `devices`: kinds of
    device that `connect` can put it on. `batch_size`: pictures of one call. `identity`: all that its answers depend on
    besides the preprocessing, as far as it is known.
    """

    connect: Callable[[Preprocessing, torch.device], Predictor]
    preprocessing: Preprocessing
    classes: tuple[str, ...] | None = None
    activation: Activation | None = None
    normalises: bool = True
    fixed_size: bool = False
    devices: tuple[str, ...] = ("cpu",)
    batch_size: int = 16
    identity: str = ""
    notes: tuple[str, ...] = ()


class ModelSource(Protocol):
    """Build the model that `rest` (the spec without its scheme) names.

    `pretrained` is False where the user brings weights; then no weights may be fetched.
    """

    def __call__(self, rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded | LoadedBlackBox:
        """Build it. `rest`: the spec without its scheme."""
        ...


def unlisted(pattern: str) -> list[str]:
    """The names of a source that cannot list what there is: none."""
    return []


@dataclass(frozen=True)
class Source:
    """One scheme: how to build, and how to list what there is.

    `form`: how its specs look. `names`: a wildcard pattern -> the names that match. `paths`: which parts of the rest of
    a spec are paths. `requires`: a package that not every installation has.
    """

    scheme: str
    form: str
    build: ModelSource
    names: Callable[[str], list[str]] = unlisted
    paths: Paths = no_path
    requires: Requirement | None = None

    @property
    def listed(self) -> bool:
        """Whether it can list what there is."""
        return self.names is not unlisted


def forms() -> str:
    """How the specs of every source look, with commas."""
    return ", ".join(source.form for source in SOURCES.values())


SOURCES: Registry[Source] = Registry(
    "model source",
    package="lumiscope.models.sources",
    group="lumiscope.models",
    hint=lambda: f"Specs look like {forms()}.",
)
"""Every source by the scheme that its specs begin with."""


def model_source(
    scheme: str,
    form: str,
    names: Callable[[str], list[str]] = unlisted,
    *,
    paths: Paths = no_path,
    requires: Requirement | None = None,
) -> Callable[[ModelSource], ModelSource]:
    """Register the decorated function for specs `scheme:rest`; see `Source`."""

    def register(build: ModelSource) -> ModelSource:
        SOURCES.register(scheme, Source(scheme, form, build, names, paths, requires), defined_by=build)
        return build

    return register


def find_source(spec: str) -> tuple[Source, str]:
    """Return the source of `spec` and the rest of the spec.

    Errors: `UsageError` for another form and for a package that the source needs and that is not installed,
    `UnknownNameError` for an unknown scheme.
    """
    scheme, colon, rest = spec.partition(":")
    if not colon or not rest:
        raise UsageError(f"expected a model spec like {forms()}; got {spec!r}")
    source = SOURCES[scheme]
    if source.requires is not None and source.requires.missing:
        raise UsageError(f"{spec} needs {source.requires}")
    return source, rest


def build_quietly(factory: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a model factory so that random weights are the same every time and nobody's random state moves."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return factory(*arguments, **options)
