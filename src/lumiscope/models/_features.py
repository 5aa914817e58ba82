"""Backbones: networks that end in features of an image, not in scores of classes."""

from __future__ import annotations

import torch

from lumiscope.models._candidates import FEATURES, Candidate
from lumiscope.models._score_kind import is_normalised
from lumiscope.models._twin import twin

NOTHING = (torch.nn.Identity, torch.nn.Dropout, torch.nn.Flatten)
CLASSIFIERS = ("fc", "head", "heads", "classifier", "last_linear")


def is_headless(network: torch.nn.Module, output: Candidate) -> bool:
    """Whether `output` holds features: by its name, by what the network says, by what is in a classifier's place.

    Or by what made it: a layer norm.
    """
    return (
        output.is_features
        or getattr(network, "num_classes", None) == 0
        or _classifier_is_left_out(network)
        or is_normalised(output.rows)
    )


def _classifier_is_left_out(network: torch.nn.Module) -> bool:
    """Whether every part that is called a classifier does nothing but drop or flatten."""
    named = [getattr(network, name, None) for name in CLASSIFIERS]
    parts = [part for part in named if isinstance(part, torch.nn.Module)]
    return bool(parts) and all(_does_nothing(part) for part in parts)


def _does_nothing(part: torch.nn.Module) -> bool:
    if isinstance(part, torch.nn.Sequential):
        return all(map(_does_nothing, part))
    return isinstance(part, NOTHING)


def pooled_features(network: torch.nn.Module, returned: object, images: int) -> tuple[torch.nn.Module, object, bool]:
    """Of a backbone that returns maps or tokens alone: a twin that returns their mean over the positions, (B, C).

    `returned`: what the network gives for so many `images`. Any other network: as it is, and False.
    """
    maps = _maps(returned, images, getattr(network, "num_classes", None) == 0)
    if maps is None:
        return network, returned, False

    def mean(output: object) -> torch.Tensor:
        tensor = _maps(output, None, True)
        assert tensor is not None
        return tensor.flatten(2).mean(2) if tensor.ndim == 4 else tensor.mean(1)

    return twin(network, lambda run, inputs: mean(run(inputs))), mean(returned), True


def _maps(returned: object, images: int | None, headless: bool) -> torch.Tensor | None:
    """The (B, C, h, w) maps or (B, tokens, C) that are all that a backbone returns; None for everything else."""
    if isinstance(returned, dict):
        tensors = {key: value for key, value in returned.items() if isinstance(value, torch.Tensor)}
        named = [value for key, value in tensors.items() if key in FEATURES]
        alone = len(named) == len(tensors) and all(value.ndim > 2 for value in named)
        returned, headless = (named[0], True) if named and alone else (None, False)
    if not headless or not isinstance(returned, torch.Tensor) or returned.ndim not in (3, 4):
        return None
    return returned if images is None or len(returned) == images else None
