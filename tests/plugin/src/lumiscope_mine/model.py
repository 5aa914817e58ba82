"""Models `mine:tiny` and `mine:small`."""

from __future__ import annotations

import fnmatch

import torch

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.models.options import BuildOptions
from lumiscope.models.sources import Loaded, Preprocessing, model_source

WIDTHS = {"small": 8, "tiny": 4}


def names(pattern: str) -> list[str]:
    """The models that match a wildcard."""
    return fnmatch.filter(WIDTHS, pattern)


@model_source("mine", "mine:tiny", names)
def build(rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded:
    """A convolution and a linear layer with seeded weights. Errors: an unknown name, and options."""
    if rest not in WIDTHS:
        raise UnknownNameError("model of mine", rest, WIDTHS)
    if options.keywords:
        raise UsageError(f"mine:{rest} takes no options; got {', '.join(options.keywords)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = torch.nn.Sequential(
            torch.nn.Conv2d(3, WIDTHS[rest], 3, stride=2, padding=1),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
            torch.nn.Linear(WIDTHS[rest], options.num_classes or 3),
        )
    return Loaded(module, Preprocessing(input_size=(32, 32), resize_size=(32, 32)))
