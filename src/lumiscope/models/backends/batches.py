"""Work in batches, smaller ones where memory runs out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import torch

# oneDNN names what it could not make, and not that memory lacked for it; where it cannot make so much as the descriptor
# of a primitive, it is of a kind that it does not know.
OUT_OF_MEMORY = re.compile(
    r"out.of.memory|(not enough|insufficient) memory|bad.alloc|alloc(ation)?[ _]failed"
    r"|(can't|cannot|could not|failed to|unable to) allocate (memory|[0-9])"
    r"|could not create a primitive(?! (descriptor|attribute))|could not create a memory(?! descriptor)"
    r"|could not execute a primitive",
    re.IGNORECASE,
)
logger = logging.getLogger(__name__)


def is_out_of_memory(error: Exception) -> bool:
    """Whether `error` says that memory ran out; torch, oneDNN, OpenVINO and Python each say so in their own way."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or OUT_OF_MEMORY.search(str(error)) is not None


def in_batches(run: Callable[[int, int], torch.Tensor], count: int, size: int) -> torch.Tensor:
    """Join `run(start, stop)` over 0..count, at most `size` at once; where memory runs out, half as many.

    Of a part of a larger tensor, such as one class of all, the rest is let go at once.

    Errors: what `run` raises, also `MemoryError` and its like when not even one fits.
    """
    results: list[torch.Tensor] = []
    start = 0
    while start < count:
        try:
            results.append(_alone(run(start, min(start + size, count))))
        except (RuntimeError, MemoryError) as error:
            if size == 1 or not is_out_of_memory(error):
                raise
            size //= 2
            logger.warning("memory ran out; going on with batches of %d", size)
        else:
            start += size
    return torch.cat(results)


def _alone(part: torch.Tensor) -> torch.Tensor:
    """A copy of a tensor that is a view of more memory than it fills, which would live as long; any other as it is."""
    return part.clone() if part.untyped_storage().nbytes() > part.nbytes else part
