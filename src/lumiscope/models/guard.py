"""A model is touched only while borrowed; afterwards it is exactly what it was."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import torch
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from lumiscope.errors import ModelError

Module = TypeVar("Module", bound=torch.nn.Module)


@contextmanager
def borrowed(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Put `module` in evaluation mode with frozen parameters; restore both on the way out, also after an exception.

    Frozen parameters mean that a backward pass to activations never writes `.grad`. What is written to buffers is
    written to copies. Hooks that are added inside must be removed inside, by their own context. What the user compiled
    (`torch.compile`) runs as it was written: compiled code sees no hooks, and has no layers.
    """
    training = [(part, part.training) for part in module.modules()]
    trainable = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    try:
        for part, _ in training:
            part.training = False
        for parameter, _ in trainable:
            parameter.requires_grad_(False)
        with _copies_of(_homes(module)), _as_written():
            yield module
    finally:
        for parameter, flag in trainable:
            parameter.requires_grad_(flag)
        for part, flag in training:
            part.training = flag


def _as_written() -> AbstractContextManager[object]:
    """Inside, nothing runs compiled. Whoever compiled anything has imported the compiler, which takes seconds."""
    set_stance = getattr(torch.compiler, "set_stance", None)  # since torch 2.6
    return set_stance("force_eager") if set_stance and "torch._dynamo" in sys.modules else nullcontext()


@contextmanager
def kept(module: torch.nn.Module, *, parameters: bool = False) -> Iterator[None]:
    """On the way out, `module` has the buffers, flags, numbers and tensors that it had; see `plain_state`.

    `parameters`: whether copies stand in the place of its parameters, too, so that it may write to them.
    """
    states = [(part, plain_state(part)) for part in module.modules()]
    try:
        with _copies_of(_homes(module, plain=True, parameters=parameters)):
            yield
    finally:
        for part, state in states:
            vars(part).update(state)


@contextmanager
def restored(module: torch.nn.Module) -> Iterator[Callable[[], list[str]]]:
    """On the way out, the parameters of `module` are the same objects with the same numbers in the same memory.

    Inside they are themselves, not copies, whoever else holds them. What is yielded names those that were rewritten.
    """
    homes = [
        (f"{name}.{key}".removeprefix("."), part._parameters, key, value)
        for name, part in module.named_modules()
        for key, value in part._parameters.items()
        if value is not None and not isinstance(value, UninitializedParameter)
    ]
    stored = {id(value): (value.data, value.detach().clone()) for _, _, _, value in homes}

    def is_rewritten(holder: Any, key: str, value: torch.nn.Parameter) -> bool:
        memory, copy_of_it = stored[id(value)]
        moved = value.shape != memory.shape or value.data_ptr() != memory.data_ptr()
        return key not in holder or holder[key] is not value or moved or not same_bits(memory, copy_of_it)

    try:
        yield lambda: [name for name, *home in homes if is_rewritten(*home)]
    finally:
        for _, holder, key, value in homes:
            if is_rewritten(holder, key, value):
                memory, copy_of_it = stored[id(value)]
                holder[key] = value
                value.data = memory.copy_(copy_of_it)  # of which autograd is not told: it was never used


def same_bits(tensor: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether the numbers are the same also where they are not finite."""
    return torch.equal(tensor.flatten().view(torch.uint8), other.flatten().view(torch.uint8))


def plain_state(part: torch.nn.Module) -> dict[str, Any]:
    """Attributes of a part itself that are flags, numbers or tensors."""
    return {key: value for key, value in vars(part).items() if isinstance(value, bool | int | float | torch.Tensor)}


def _homes(
    module: torch.nn.Module, *, plain: bool = False, parameters: bool = False
) -> list[tuple[Any, str, torch.Tensor]]:
    """Where buffers are, with their names; where tensors that are `plain` attributes, and `parameters`, are, too."""
    return [
        (holder, name, value)
        for part in module.modules()
        for holder in (part._buffers, *([vars(part)] if plain else []), *([part._parameters] if parameters else []))
        for name, value in holder.items()
        if isinstance(value, torch.Tensor) and not isinstance(value, UninitializedBuffer | UninitializedParameter)
    ]


@contextmanager
def _copies_of(homes: Sequence[tuple[Any, str, torch.Tensor]]) -> Iterator[None]:
    """Inside, copies stand in the place of these tensors, which so stay as they are, whatever is written.

    (What a batch norm writes raises no version by which it would be noticed, and autograd may need it afterwards.)
    """
    copies = {id(value): _copy_of(value) for _, _, value in homes}  # one of a tensor with several homes
    try:
        for holder, name, value in homes:
            holder[name] = copies[id(value)]
        yield
    finally:
        for holder, name, value in homes:
            holder[name] = value


def _copy_of(value: torch.Tensor) -> torch.Tensor:
    return copy.deepcopy(value) if isinstance(value, torch.nn.Parameter) else value.detach().clone()


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


def check_real_weights(module: torch.nn.Module, spec: str) -> None:
    """Errors: `ModelError` for whole numbers for weights, through which no gradient flows, and for weights to come."""
    named = (*module.named_parameters(), *module.named_buffers())
    lazy = [name for name, value in named if isinstance(value, UninitializedParameter | UninitializedBuffer)]
    if lazy:
        raise ModelError(
            f"expected {spec} to have weights; {lazy[0]} gets its shape when the network first runs (a lazy module). "
            "Run it on a picture where it is made, as network(torch.zeros(1, 3, 224, 224)), before it is given away."
        )
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
