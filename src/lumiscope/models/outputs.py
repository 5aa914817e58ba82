"""What a module returns, as the one tensor that is meant."""

from __future__ import annotations

import torch

from lumiscope.errors import ModelError


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


def logits_of(output: object) -> torch.Tensor:
    """Return (B, classes) logits. Errors: `ModelError` where the output is something else."""
    logits = first_tensor(output)
    if logits is None or logits.ndim != 2:
        came = type(output).__name__ if logits is None else f"a tensor of shape {tuple(logits.shape)}"
        raise ModelError(f"expected a classifier that returns (batch, classes) logits; got {came}")
    return logits
