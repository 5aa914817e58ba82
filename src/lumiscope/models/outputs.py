"""What a module returns, as the one tensor that is meant."""

from __future__ import annotations

import copy

import torch

from lumiscope.errors import LayerError, ModelError
from lumiscope.models._twin import Forward, twin


def first_tensor(output: object) -> torch.Tensor | None:
    """Return the tensor in `output`: itself, its `.logits`, or the first tensor of a tuple, list or mapping."""
    if isinstance(output, torch.Tensor):
        return output
    logits = getattr(output, "logits", None)
    if isinstance(logits, torch.Tensor):
        return logits
    values: list[object] = []
    if isinstance(output, dict):
        values = [output["logits"]] if "logits" in output else list(output.values())
    elif isinstance(output, (tuple, list)):
        values = list(output)
    return next((value for value in values if isinstance(value, torch.Tensor)), None)


def with_first_tensor(output: object, tensor: torch.Tensor) -> object:
    """Return `output` with `tensor` in the place of what `first_tensor` finds there, in the same kind of container.

    Errors: `LayerError` where that container cannot be made again.
    """
    replaced = first_tensor(output)
    if output is replaced:
        return tensor
    if isinstance(output, dict):
        changed = copy.copy(output)
        changed[next(key for key, value in output.items() if value is replaced)] = tensor
        return changed
    if isinstance(output, (tuple, list)):
        place = next(index for index, value in enumerate(output) if value is replaced)
        values = [*output[:place], tensor, *output[place + 1 :]]
        return output._make(values) if hasattr(output, "_make") else type(output)(values)
    raise LayerError(f"expected a tensor, tuple, list or mapping; got {type(output).__name__}")


def logits_of(output: object) -> torch.Tensor:
    """Return (B, classes) logits. One logit z an image, (B,) or (B, 1), stands for two classes: -z and z.

    Errors: `ModelError` where the output is something else.
    """
    logits = first_tensor(output)
    if logits is not None and logits.ndim > 2 and all(side == 1 for side in logits.shape[2:]):
        logits = logits.flatten(1)
    if logits is not None and is_single(logits):
        logits = logits.reshape(-1, 1)
        return torch.cat([-logits, logits], dim=1)
    if logits is None or logits.ndim != 2:
        came = type(output).__name__ if logits is None else f"a tensor of shape {tuple(logits.shape)}"
        raise ModelError(f"expected a classifier that returns (batch, classes) logits; got {came}")
    return logits


def is_single(logits: torch.Tensor) -> bool:
    """Whether a network gives one number an image: yes or no."""
    return logits.ndim == 1 or (logits.ndim == 2 and logits.shape[1] == 1)


def with_complement(network: torch.nn.Module) -> torch.nn.Module:
    """`network`, which gives one probability p an image, with the scores 1 - p and p."""

    def forward(run: Forward, inputs: torch.Tensor) -> torch.Tensor:
        output = first_tensor(run(inputs))
        assert output is not None
        probability = output.reshape(-1, 1)
        return torch.cat([1 - probability, probability], dim=1)

    return twin(network, forward)


class LogitsOnly(torch.nn.Module):
    """`network` with its (B, classes) logits as the one output, whatever it wraps them in."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) -> (B, classes)."""
        return logits_of(self.network(inputs))
