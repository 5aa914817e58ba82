"""What a network would be without its training: the same architecture, with random weights."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping

import torch

from lumiscope.models.guard import borrowed, copied, hooked
from lumiscope.models.torch_model import TorchModel

KEPT = ("running_mean", "running_var")
AFFINE = ("weight", "bias")
Statistics = Mapping[str, torch.Tensor]


def untrained(network: torch.nn.Module, seed: int) -> torch.nn.Module:
    """A copy of `network` with random weights, drawn one after another from `seed`; `network` stays as it is.

    With normalisation by batch statistics, parts that have `reset_parameters` draw theirs as their architecture does;
    the normalisation begins with mean 0, variance 1, weight 1 and bias 0, and `batch_statistics` says what fits the new
    weights. All other parameters, and those of a network without it, where drawn anew a signal would fade from block to
    block, have their values shuffled, each tensor within itself, so that their scale stays.
    """
    drawn = copied(network)
    trained = {name: value.detach().clone() for name, value in drawn.named_parameters()}
    devices = sorted({value.device.index for value in trained.values() if value.device.type == "cuda"})
    with torch.random.fork_rng(devices), torch.no_grad():
        torch.manual_seed(seed)
        if has_batch_statistics(drawn):
            for part in drawn.modules():
                _reset(part)
        for name, value in drawn.named_parameters():
            if torch.equal(value, trained[name]):
                value.copy_(_shuffled(value))
    return drawn


def randomised(network: torch.nn.Module, seed: int, how: str) -> torch.nn.Module:
    """A copy of `network` with every parameter random, in one of two ways; `network` stays as it is.

    `how`, see `RANDOMISATIONS`: "shuffled", each tensor within itself, or "drawn", each from the normal distribution of
    its mean and standard deviation. Either keeps the scale of signals, and takes bare parameters (class tokens,
    positions, LayerScale), too, and what frozen normalisations keep as buffers. Tensors are taken one after another
    from one generator, so equal layers differ. What normalises by statistics of images still has those of the trained
    network: `batch_statistics` says what fits. Errors: `KeyError` for another way.
    """
    drawn, draw = copied(network), RANDOMISATIONS[how]
    frozen = [getattr(part, name, None) for part in drawn.modules() if _keeps_statistics(part) for name in AFFINE]
    tensors = {id(value): value for value in (*drawn.parameters(), *frozen) if isinstance(value, torch.Tensor)}
    devices = sorted({value.device.index for value in tensors.values() if value.device.type == "cuda"})
    with torch.random.fork_rng(devices), torch.no_grad():
        torch.manual_seed(seed)
        for value in tensors.values():
            value.copy_(draw(value))
    return drawn


def _drawn(values: torch.Tensor) -> torch.Tensor:
    """Normal, of their mean and standard deviation; of equal numbers, around these as far as they are from 0."""
    wide = values.double()
    spread = wide.std(unbiased=False)
    spread = spread if spread > 0 else wide.mean().abs()
    return (wide.mean() + spread * torch.randn(wide.shape, dtype=torch.float64).to(wide.device)).to(values.dtype)


def _shuffled(values: torch.Tensor) -> torch.Tensor:
    """The same numbers in one random cycle, so that each moves."""
    cycle = torch.randperm(values.numel()).to(values.device)
    moved = torch.empty_like(values).flatten()
    moved[cycle] = values.flatten()[cycle.roll(1)]
    return moved.view_as(values)


RANDOMISATIONS = {"shuffled": _shuffled, "drawn": _drawn}
"""Ways to randomise a network: name -> a tensor to another one of its shape."""


def _reset(part: torch.nn.Module) -> None:
    if _keeps_statistics(part):
        start = {"running_mean": 0.0, "running_var": 1.0, "weight": 1.0, "bias": 0.0}
        for name, number in start.items():
            if isinstance(value := getattr(part, name, None), torch.Tensor):
                value.fill_(number)
        return
    reset = getattr(part, "reset_parameters", None)
    if callable(reset) and not _asks_for_more(reset):
        reset()


def _asks_for_more(method: object) -> bool:
    """Whether a method cannot be called without arguments."""
    given = inspect.signature(method).parameters.values()  # type: ignore[arg-type]
    return any(
        parameter.default is parameter.empty and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in given
    )


def _keeps_statistics(part: torch.nn.Module) -> bool:
    """Whether it normalises by statistics of the images that it was trained on, frozen or not."""
    return all(isinstance(getattr(part, name, None), torch.Tensor) for name in KEPT)


def has_batch_statistics(network: torch.nn.Module) -> bool:
    """Whether some part of it normalises by statistics of the images that it was trained on."""
    return any(map(_keeps_statistics, network.modules()))


def batch_statistics(network: torch.nn.Module, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """Mean and variance that each normalisation of `network` meets on `inputs`, (N, channels, H, W), by their names.

    Each layer normalises by its own while the next ones are measured, so activations neither explode nor vanish. A
    channel that is the same everywhere has variance 1. `network` stays as it is.
    """
    measured = copied(network)
    parts = {name: part for name, part in measured.named_modules() if _keeps_statistics(part)}
    handles = [part.register_forward_pre_hook(_measure) for part in parts.values()]
    with borrowed(measured), hooked(*handles), torch.no_grad():
        measured(inputs)
        return {
            f"{name}.{kind}" if name else kind: getattr(part, kind).detach().clone()
            for name, part in parts.items()
            for kind in KEPT
        }


def _measure(part: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
    values = given[0].transpose(0, 1).flatten(1).float()
    variance = values.var(1, unbiased=False)
    for name, value in zip(KEPT, (values.mean(1), torch.where(variance > 0, variance, 1)), strict=True):
        getattr(part, name).copy_(value)


def with_statistics(network: torch.nn.Module, statistics: Statistics) -> torch.nn.Module:
    """`network` itself, after its normalisations took these statistics, as `batch_statistics` gives them."""
    buffers = dict(network.named_buffers())
    for name, value in statistics.items():
        buffers[name].copy_(value)
    return network


def with_network(model: TorchModel, network: torch.nn.Module) -> TorchModel:
    """A model like `model` that runs `network`, which must be of the same architecture. `model` stays as it is."""
    layers = model.layers
    other = copy.copy(model)
    for name in ("fingerprint", "_sessions", "target_layer"):
        other.__dict__.pop(name, None)
    other.module = other.network = network
    other.__dict__["layers"] = layers
    return other
