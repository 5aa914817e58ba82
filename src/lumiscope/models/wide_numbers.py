"""Numbers in float64 wherever they are asked for: not every device has them."""

from __future__ import annotations

import functools

import torch


def in_float64(tensor: torch.Tensor) -> torch.Tensor:
    """The same numbers in float64: on the tensor's device, or on the processor where that has none, as mps."""
    return tensor.double() if _has_float64(tensor.device.type) else tensor.cpu().double()


@functools.cache
def _has_float64(kind: str) -> bool:
    try:
        torch.zeros(1, device=kind).double()
    except (TypeError, RuntimeError):
        return False
    return True
