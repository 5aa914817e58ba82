"""A network with another forward pass, and nothing else of its own."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable
from typing import Any

import torch

Forward = Callable[[torch.Tensor], object]


def twin(network: torch.nn.Module, change: Callable[[Forward, torch.Tensor], Any]) -> torch.nn.Module:
    """`network` whose forward pass is `change(forward, inputs)`, `forward` being its own.

    Parts, parameters and hooks are those of `network` itself, under the same names.
    """
    kind = type(network)
    of_instance: Forward | None = network.__dict__.get("forward")

    def forward(self: torch.nn.Module, inputs: torch.Tensor) -> Any:
        return change(of_instance or types.MethodType(kind.forward, self), inputs)

    changed = copy.copy(network)
    changed.__dict__.pop("forward", None)
    changed.__class__ = type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})
    return changed
