"""What a module returns, as the one tensor that is meant."""

from __future__ import annotations

import copy

import torch

from lumiscope.errors import LayerError, ModelError


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
    found = first_tensor(output)
    if output is found:
        return tensor
    if isinstance(output, dict):
        changed = copy.copy(output)
        changed[next(key for key, value in output.items() if value is found)] = tensor
        return changed
    if isinstance(output, (tuple, list)):
        place = next(index for index, value in enumerate(output) if value is found)
        values = [*output[:place], tensor, *output[place + 1 :]]
        return output._make(values) if hasattr(output, "_make") else type(output)(values)
    raise LayerError(f"expected a tensor, tuple, list or mapping; got {type(output).__name__}")


def logits_of(output: object) -> torch.Tensor:
    """Return (B, classes) logits. Errors: `ModelError` where the output is something else."""
    logits = first_tensor(output)
    if logits is None or logits.ndim != 2:
        came = type(output).__name__ if logits is None else f"a tensor of shape {tuple(logits.shape)}"
        raise ModelError(f"expected a classifier that returns (batch, classes) logits; got {came}")
    return logits
