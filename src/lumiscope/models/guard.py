"""A model is touched only while borrowed; afterwards it is exactly what it was."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch.nn.parameter import UninitializedBuffer

from lumiscope.errors import ModelError

Module = TypeVar("Module", bound=torch.nn.Module)


@contextmanager
def borrowed(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Put `module` in evaluation mode with frozen parameters; restore both on the way out, also after an exception.

    Frozen parameters mean that a backward pass to activations never writes `.grad`. What is written to buffers is
    written to copies. Hooks that are added inside must be removed inside, by their own context.
    """
    training = [(part, part.training) for part in module.modules()]
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    try:
        for part, _ in training:
            part.training = False
        for parameter in trainable:
            parameter.requires_grad_(False)
        with _copies_of(_homes(module)):
            yield module
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
        for part, flag in training:
            part.training = flag


@contextmanager
def kept(module: torch.nn.Module) -> Iterator[None]:
    """On the way out, `module` has the buffers, flags, numbers and tensors that it had; see `plain_state`."""
    states = [(part, plain_state(part)) for part in module.modules()]
    try:
        with _copies_of(_homes(module, plain=True)):
            yield
    finally:
        for part, state in states:
            vars(part).update(state)


def plain_state(part: torch.nn.Module) -> dict[str, Any]:
    """Attributes of a part itself that are flags, numbers or tensors."""
    return {key: value for key, value in vars(part).items() if isinstance(value, bool | int | float | torch.Tensor)}


def _homes(module: torch.nn.Module, *, plain: bool = False) -> list[tuple[Any, str, torch.Tensor]]:
    """Where buffers are, with their names; where tensors that are `plain` attributes are, too."""
    return [
        (holder, name, value)
        for part in module.modules()
        for holder in ((part._buffers, vars(part)) if plain else (part._buffers,))
        for name, value in holder.items()
        if isinstance(value, torch.Tensor) and not isinstance(value, UninitializedBuffer)
    ]


@contextmanager
def _copies_of(homes: Sequence[tuple[Any, str, torch.Tensor]]) -> Iterator[None]:
    """Inside, copies stand in the place of these tensors, which so stay as they are, whatever is written.

    (What a batch norm writes raises no version by which it would be noticed, and autograd may need it afterwards.)
    """
    copies = {id(value): value.detach().clone() for _, _, value in homes}  # one of a tensor with several homes
    try:
        for holder, name, value in homes:
            holder[name] = copies[id(value)]
        yield
    finally:
        for holder, name, value in homes:
            holder[name] = value


def copied(module: Module) -> Module:
    """A deep copy. Weights that are derived from others at every pass, and are no leaves of autograd, are copied too.

    Such are those of weight norm, spectral norm and pruning, which torch itself refuses to copy.
    """
    memo: dict[int, object] = {}
    for part in module.modules():
        for value in vars(part).values():
            if isinstance(value, torch.Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    return copy.deepcopy(module, memo)


def check_not_quantised(module: torch.nn.Module, spec: str) -> None:
    """Errors: `ModelError` for a network with whole numbers for weights, through which no gradient flows."""
    kinds = {name: type(part).__module__ for name, part in module.named_modules()}
    quantised = [name for name, kind in kinds.items() if kind.startswith("torch.") and ".quantized" in kind]
    if quantised:
        raise ModelError(
            f"expected {spec} to have weights that are real numbers; {quantised[0] or 'all of it'} is quantised. Give "
            "the network before it was quantised, or only its answers: a function of pictures that calls it, "
            "python:module:function, is a black box, which LIME, RISE and occlusion explain."
        )


@contextmanager
def hooked(*handles: torch.utils.hooks.RemovableHandle) -> Iterator[None]:
    """Remove the hooks on the way out, also after an exception."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
