"""Attribution methods by name. A new one is a module with one function under `@attribution_method`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from lumiscope.attribution._details import joined_details
from lumiscope.attribution.declared_options import check_declared
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.saturation import with_saturation
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.models import TorchModel, VisionModel
from lumiscope.registry import Registry
from lumiscope.types import FloatArray, SaliencyMap, Target

UNDEFINED = "the model's scores or gradients are NaN or infinity here"
BLANK = "nothing in the view speaks for the class"
Options = TypeVar("Options")
Function = Callable[[PreparedBatch, Sequence[Target], Options], list[SaliencyMap]]


@dataclass(frozen=True)
class FlipOptions:
    """The options of a method that has no others. `flips`: average over the view and its mirror image."""

    flips: bool = False


@dataclass(frozen=True)
class AttributionMethod(Generic[Options]):
    """A way to explain, with what a user must know of it.

    `passes`: what one image costs. `perturbs`: whether that is many forward passes of the whole network, so that a fast
    backend is worth its preparation. `makes_segments`: whether its maps are made of segments. `mask_rule`: the rule
    that makes a mask of its maps unless told otherwise. `class_blind`: whether its maps are the same for every class,
    as it does not look at the target.
    """

    name: str
    title: str
    citation: str
    needs_gradients: bool
    needs_layer: bool
    perturbs: bool
    makes_segments: bool
    passes: str
    options_type: type[Options]
    function: Function[Options]
    mask_rule: str
    class_blind: bool

    @property
    def follows_score(self) -> bool:
        """Whether its maps are made of small changes of a score: by gradients, or by hiding parts of the view."""
        return self.needs_gradients or (self.perturbs and not self.needs_layer)

    @property
    def looks_inside(self) -> bool:
        """Whether it needs more of a model than predictions."""
        return self.needs_gradients or self.needs_layer

    def is_random(self, options: Options) -> bool:
        """Whether its maps depend on the study's seed: it draws at random, and no option fixes what."""
        return getattr(options, "random_seed", 0) is None

    def options(self, given: Mapping[str, Any] | None = None) -> Options:
        """Build the options. Errors: `UsageError` for an unknown option (with the nearest) or a wrong value."""
        from pydantic import TypeAdapter, ValidationError

        known = [field.name for field in dataclasses.fields(self.options_type)]  # type: ignore[arg-type]
        for name in given or {}:
            if name not in known:
                raise UnknownNameError(f"option of {self.name}", name, known)
        try:
            options = TypeAdapter(self.options_type).validate_python(dict(given or {}))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"][:1])
            raise UsageError(f"{self.name}: option {place}: {first['msg']}; got {first['input']!r}") from error
        check_declared(options, self.name)
        return options

    def explain(self, prepared: PreparedBatch, targets: Sequence[Target], options: Options) -> list[SaliencyMap]:
        """One map for each image of the batch, in order. The model is as it was afterwards.

        With an option `flips` each map is the mean of those of the view and of its mirror image, turned back; what
        either says of itself is kept. A map that is undefined or shows nothing says so in its details, also where the
        method itself did not. Errors: `UsageError` where the targets are not one an image.
        """
        if len(targets) != len(prepared):
            raise UsageError(f"expected one target an image, {len(prepared)} in all; got {len(targets)}")
        maps = self.function(prepared, targets, options)
        if getattr(options, "flips", False):
            mirrored = self.function(prepared.mirrored(), targets, options)
            maps = [_mean(saliency, of_mirror) for saliency, of_mirror in zip(maps, mirrored, strict=True)]
        follows = {
            "of_probability": self.follows_score and prepared.model.activation == "none",
            "by_gradients": self.needs_gradients,
        }
        return [with_saturation(_with_reason(saliency), **follows) for saliency in maps]


def _with_reason(saliency: SaliencyMap) -> SaliencyMap:
    """The map, saying why it is NaN or shows nothing where that is so."""
    if "undefined" in saliency.details or "blank" in saliency.details:
        return saliency
    if not np.isfinite(saliency.values).all():
        said = {"undefined": UNDEFINED}
    elif not saliency.display().any():
        said = {"blank": BLANK}
    else:
        return saliency
    return dataclasses.replace(saliency, details={**saliency.details, **said})


def _mean(saliency: SaliencyMap, of_mirror: SaliencyMap) -> SaliencyMap:
    """The mean of a map and of its mirror image's, turned back."""

    def mean(values: FloatArray, mirrored: FloatArray) -> FloatArray:
        return np.asarray((values + mirrored[:, ::-1]) / 2, np.float32)

    shown = None
    if saliency.shown is not None and of_mirror.shown is not None:
        shown = mean(saliency.shown, of_mirror.shown)
    details = joined_details([of_mirror.details, saliency.details])
    return dataclasses.replace(saliency, values=mean(saliency.values, of_mirror.values), shown=shown, details=details)


METHODS: Registry[AttributionMethod[Any]] = Registry(
    "method",
    package="lumiscope.attribution.methods",
    group="lumiscope.methods",
    hint="`lumiscope methods` lists them.",
)
"""Every attribution method by name."""


def attribution_method(
    name: str,
    *,
    title: str,
    citation: str,
    passes: str,
    options: type[Options],
    needs_gradients: bool = False,
    needs_layer: bool = False,
    perturbs: bool = False,
    makes_segments: bool = False,
    mask_rule: str = "max:0.5",
    class_blind: bool = False,
) -> Callable[[Function[Options]], Function[Options]]:
    """Register an attribution method under `name`."""

    def register(function: Function[Options]) -> Function[Options]:
        method = AttributionMethod(
            name,
            title,
            citation,
            needs_gradients,
            needs_layer,
            perturbs,
            makes_segments,
            passes,
            options,
            function,
            mask_rule,
            class_blind,
        )
        METHODS.register(name, method, defined_by=function)
        return function

    return register


def select_methods(patterns: Sequence[str], model: VisionModel | None = None) -> list[str]:
    """Turn names and wildcards (`*cam`) into method names, each once, in the order asked for.

    With a `model` a wildcard means those of its methods that can explain this model. Errors: `UnknownNameError`;
    `UsageError` where methods that look inside are asked for by name and the model can only predict.
    """
    able = None if model is None else methods_for(model)
    names = METHODS.select(patterns, among=able)
    if model is None or able is None:
        return names
    refused = [name for name in names if name not in able]
    if refused:
        look_inside(model, ", ".join(refused))
    return names


def methods_for(model: VisionModel) -> list[str]:
    """The methods that can explain `model`: all of a torch model, of a black box those that need predictions alone."""
    opens = isinstance(model, TorchModel)
    return [name for name, method in METHODS.items() if opens or not method.looks_inside]


def look_inside(model: VisionModel, what: str) -> TorchModel:
    """Return `model` if `what` can look inside. Errors: `UsageError`, in one line, with the methods that need not."""
    if isinstance(model, TorchModel):
        return model
    raise UsageError(
        f"{what} must look inside a model, and {model.name} can only predict. "
        f"Methods that need no more than that: {', '.join(methods_for(model))}."
    )
