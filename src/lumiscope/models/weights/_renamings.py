"""What an architecture itself does to the keys of older files: renamed, reshaped, position embeddings resampled."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from lumiscope.models.guard import copied

State = dict[str, torch.Tensor]
Renaming = Callable[[State], State]
DENSE_LAYER = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


def renamings(module: torch.nn.Module) -> Iterator[tuple[str, Renaming]]:
    """(what it is called, what it does) for each way in which the code of `module` reads other files than its own.

    timm's filters of the module in which the network is written; torchvision's names of DenseNet, and its resampling
    for vision transformers; the hooks that the network's parts run when a state dict is loaded.
    """
    home = type(module).__module__
    if home.startswith("timm."):
        for name, function in vars(sys.modules[home]).items():
            if re.search(r"checkpoint_filter_fn|^_filter_fn|^_filter_torchvision", name) and callable(function):
                yield f"timm's {name}", _timm_filter(function, module)
    if home.startswith("torchvision."):
        yield (
            "torchvision's old names of DenseNet",
            lambda state: {DENSE_LAYER.sub(r"\1\2", k): v for k, v in state.items()},
        )
        if hasattr(module, "patch_size") and hasattr(module, "seq_length"):
            yield "torchvision's interpolate_embeddings", _torchvision_embeddings(module)
    yield "the network's own hooks for loading", _own_hooks(module)


def _timm_filter(function: Callable[..., Any], module: torch.nn.Module) -> Renaming:
    takes_model = len(inspect.signature(function).parameters) > 1
    return lambda state: dict(function(state, module) if takes_model else function(state))


def _torchvision_embeddings(module: Any) -> Renaming:
    from torchvision.models.vision_transformer import interpolate_embeddings

    def resample(state: State) -> State:
        from collections import OrderedDict

        return dict(interpolate_embeddings(module.image_size, module.patch_size, OrderedDict(state)))

    return resample


def _own_hooks(module: torch.nn.Module) -> Renaming:
    def load(state: State) -> State:
        trial = copied(module)
        trial.load_state_dict(state)
        return dict(trial.state_dict())

    return load


def reshaped(before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor]) -> list[str]:
    """Names whose tensors have another shape than before, in words."""
    return [
        f"{name} resampled from {tuple(before[name].shape)} to {tuple(value.shape)}"
        for name, value in after.items()
        if name in before and before[name].shape != value.shape
    ]
