"""A model is touched only while borrowed; afterwards it is exactly what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def borrowed(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Put `module` in evaluation mode with frozen parameters; restore both on the way out, also after an exception.

    Frozen parameters mean that a backward pass to activations never writes `.grad`. Hooks that are added inside must
    be removed inside, by their own context.
    """
    training = [(part, part.training) for part in module.modules()]
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    try:
        for part, _ in training:
            part.training = False
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield module
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
        for part, flag in training:
            part.training = flag


@contextmanager
def hooked(*handles: torch.utils.hooks.RemovableHandle) -> Iterator[None]:
    """Remove the hooks on the way out, also after an exception."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
