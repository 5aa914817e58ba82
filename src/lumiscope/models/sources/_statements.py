"""What a network, or the factory that made it, states about itself: attributes, a config of timm, a whole model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from lumiscope.errors import ModelError, UsageError
from lumiscope.models.channels import RGB
from lumiscope.models.guard import check_real_weights
from lumiscope.models.options import channel_numbers, check_normalisation, height_width
from lumiscope.models.sources.registry import STATEMENTS, Loaded, Preprocessing
from lumiscope.models.sources.timm_source import preprocessing_of
from lumiscope.models.torch_model import TorchModel

CONFIGS = ("pretrained_cfg", "default_cfg")


def stated(module: torch.nn.Module, factory: object, spec: str) -> Loaded:
    """The network with its own `.mean`, `.std`, `.input_size`, `.classes` and timm config, or the factory's.

    Attributes win over a config, those of the network over the factory's. Tensors under these names are parts of the
    network, which may normalise with them itself, and state nothing. Numbers of one channel, or of bands, are checked
    where it is known how many channels there are. Errors: `ModelError` for values of no use.
    """
    check_real_weights(module, spec)
    sources = (module, factory)
    config = next((given for name in CONFIGS for said in sources if (given := _config(said, name))), None)
    preprocessing = Preprocessing(stated=frozenset()) if config is None else _of_config(config, module)
    try:
        mean = channel_numbers(_numbers(sources, "mean"), "mean")
        std = channel_numbers(_numbers(sources, "std"), "std")
        size = height_width(_size(sources))
        check_normalisation(*(said if said and len(said) == RGB else None for said in (mean, std)))
        names = _names(sources)
    except (UsageError, TypeError, ValueError) as error:
        raise ModelError(
            f"the attributes mean, std, input_size and classes of {spec} are of no use: {error}"
        ) from error
    said = {name for name, value in (("mean", mean), ("std", std), ("input_size", size)) if value is not None}
    preprocessing = replace(
        preprocessing.of_size(size),
        mean=mean or preprocessing.mean,
        std=std or preprocessing.std,
        stated=preprocessing.stated | said,
    )
    return Loaded(module, preprocessing, names, keeps_classes=True)


def of_model(model: TorchModel) -> Loaded:
    """A whole model as its own code made it: its network, with everything that it says of it."""
    geometry = model.geometry
    preprocessing = Preprocessing(
        input_size=geometry.input_size,
        resize_size=geometry.resize_size or geometry.input_size,
        mean=model.mean,
        std=model.std,
        interpolation=geometry.interpolation,
        squash=geometry.mode == "squash",
    )
    return Loaded(
        model.module, preprocessing, model.classes, keeps_classes=True, activation=model.activation, notes=model.notes
    )


def _config(said: object, name: str) -> dict[str, Any] | None:
    """A config of timm under the attribute `name`, as a dict; None where there is none."""
    config: Any = getattr(said, name, None)
    if hasattr(config, "to_dict"):
        config = config.to_dict()
    return dict(config) if isinstance(config, Mapping) and config else None


def _of_config(config: Mapping[str, Any], module: torch.nn.Module) -> Preprocessing:
    try:
        return replace(preprocessing_of(config), stated=STATEMENTS & config.keys())
    except Exception as error:  # timm's own code, on whatever is there
        kind = type(module).__name__
        raise ModelError(f"the config of {kind} cannot be read as timm's: {type(error).__name__}: {error}") from error


def _numbers(sources: Sequence[object], name: str) -> Any:
    for said in sources:
        value = getattr(said, name, None)
        if isinstance(value, np.ndarray | np.number):
            value = value.tolist()
        if isinstance(value, int | float) or (isinstance(value, list | tuple) and not _has_tensors(value)):
            return value
    return None


def _has_tensors(values: Sequence[object]) -> bool:
    return any(isinstance(value, torch.Tensor) for value in values)


def _size(sources: Sequence[object]) -> Any:
    """One number, (height, width), or (channels, height, width) as timm writes it."""
    size = _numbers(sources, "input_size")
    return size[1:] if isinstance(size, list | tuple) and len(size) == 3 else size


def _names(sources: Sequence[object]) -> tuple[str, ...] | None:
    for said in sources:
        names = getattr(said, "classes", None)
        if isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names):
            return tuple(names)
    return None
