"""The size of arrays of bands, bounded before memory is taken."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lumiscope.errors import ImageError

MOST_BYTES = 2**31  # of one array in memory
FLOAT32 = 4  # bytes of a number, as bands are given to networks


def refuse_bytes(shape: Sequence[int], itemsize: int) -> None:
    """Raise ImageError for an array of this shape, of numbers of `itemsize` bytes, that is too large as float32."""
    size = math.prod(shape) * max(itemsize, FLOAT32)
    if size > MOST_BYTES:
        raise ImageError(f"expected at most {MOST_BYTES / 2**30:g} GiB of bands; it would be {size / 2**30:.3g} GiB")
