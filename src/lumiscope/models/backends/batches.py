"""Work in batches, smaller ones where memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "bad_alloc", "not enough memory")
logger = logging.getLogger(__name__)


def is_out_of_memory(error: Exception) -> bool:
    """Whether `error` says that memory ran out; torch, OpenVINO and Python each say so in their own way."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        phrase in str(error).lower() for phrase in OUT_OF_MEMORY
    )


def in_batches(run: Callable[[int, int], torch.Tensor], count: int, size: int) -> torch.Tensor:
    """Join `run(start, stop)` over 0..count, at most `size` at once; where memory runs out, half as many.

    Errors: what `run` raises, also `MemoryError` and its like when not even one fits.
    """
    results: list[torch.Tensor] = []
    start = 0
    while start < count:
        try:
            results.append(run(start, min(start + size, count)))
        except (RuntimeError, MemoryError) as error:
            if size == 1 or not is_out_of_memory(error):
                raise
            size //= 2
            logger.warning("memory ran out; going on with batches of %d", size)
        else:
            start += size
    return torch.cat(results)
