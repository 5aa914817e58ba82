"""`torchvision:NAME` and `torchvision:NAME@WEIGHTS`: the classifiers of torchvision."""

from __future__ import annotations

import fnmatch
from typing import Any

from lumiscope.errors import ModelError, UnknownNameError, UsageError, WeightsError
from lumiscope.models.options import BuildOptions
from lumiscope.models.sources.registry import Loaded, Preprocessing, build_quietly, model_source
from lumiscope.models.weights import OFFLINE_WAYS


def torchvision_names(pattern: str) -> list[str]:
    """Classifiers of torchvision that match the wildcard `pattern`."""
    import torchvision

    return fnmatch.filter(torchvision.models.list_models(module=torchvision.models), pattern)


@model_source("torchvision", "torchvision:resnet50@IMAGENET1K_V2", torchvision_names)
def build_torchvision(rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded:
    """Build a torchvision model; without `@WEIGHTS` its default weights.

    Errors: unknown name or weights, options it does not take, weights that cannot be fetched.
    """
    import torchvision

    name, _, tag = rest.partition("@")
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise UnknownNameError("torchvision model", name, known)
    entry = _weights_entry(name, tag)
    keywords = options.arguments()
    pretrained = bool(keywords.pop("pretrained", pretrained))
    try:
        module = build_quietly(torchvision.models.get_model, name, weights=entry if pretrained else None, **keywords)
    except (TypeError, ValueError) as error:
        raise UsageError(f"torchvision:{name} does not take these options: {error}") from error
    except Exception as error:
        if pretrained:
            raise WeightsError(
                f"the weights {entry} of torchvision:{name} cannot be reached ({error}). {OFFLINE_WAYS}"
            ) from error
        raise ModelError(f"torchvision:{name} cannot be built: {error}") from error
    classes = None if "num_classes" in keywords else tuple(entry.meta["categories"])
    return Loaded(module, _preprocessing(entry.transforms()), classes)


def _weights_entry(name: str, tag: str) -> Any:
    import torchvision

    weights = torchvision.models.get_model_weights(name)
    if not tag:
        return weights.DEFAULT
    if tag not in weights.__members__:
        raise UnknownNameError(f"weights of torchvision:{name}", tag, weights.__members__)
    return weights[tag]


def _preprocessing(transform: Any) -> Preprocessing:
    crop, resize = transform.crop_size[0], transform.resize_size[0]
    return Preprocessing(
        input_size=(crop, crop),
        resize_size=(resize, resize),
        mean=tuple(transform.mean),
        std=tuple(transform.std),
        interpolation=transform.interpolation.value,
    )
