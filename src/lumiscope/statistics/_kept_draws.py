"""What is drawn at random for a test on some images is kept for the next test on the same ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lumiscope.types import BoolArray

Block: TypeAlias = NDArray[np.unsignedinteger[Any]]
"""(d, k): k draws, each a column."""
AT_ONCE = 2**20  # things times draws at a time
KEPT = 2**25  # bytes of one sequence
SEQUENCES = 4


class Source(Protocol):
    """What can be drawn of so many things, such as images. Equal ones, by `==`, draw the same."""

    @property
    def things(self) -> int:
        """How many."""
        ...

    def drawn(self, generator: np.random.Generator, count: int) -> Block:
        """(d, count)."""
        ...

    def __hash__(self) -> int: ...


class Draws:
    """The sequence that a seed draws from a source; the same for whoever asks for as many.

    A report tests many pairs of methods on the same images, and drawing takes ten times as long as adding up.
    """

    def __init__(self, source: Source, seed: int) -> None:
        self._source, self._kept = source, _kept(source, seed)
        self._generator = np.random.default_rng(seed)
        self._sizes: tuple[int, ...] = ()

    def count(self, draws: int, is_extreme: Callable[[Block], BoolArray]) -> int:
        """How many of the next `draws` are extreme. `is_extreme`: block -> (k,)."""
        most = max(1, AT_ONCE // max(1, self._source.things))
        sizes = (min(most, draws - start) for start in range(0, draws, most))
        return sum(int(np.count_nonzero(is_extreme(self._block(size)))) for size in sizes)

    def _block(self, size: int) -> Block:
        self._sizes += (size,)
        if self._sizes in self._kept:
            block, self._generator.bit_generator.state = self._kept[self._sizes]
            return block
        block = self._source.drawn(self._generator, size)
        if block.nbytes + sum(kept.nbytes for kept, _ in self._kept.values()) <= KEPT:
            self._kept[self._sizes] = block, self._generator.bit_generator.state
        return block


@functools.lru_cache(SEQUENCES)
def _kept(source: Source, seed: int) -> dict[tuple[int, ...], tuple[Block, Any]]:
    """The first blocks of a sequence by the sizes of all up to each, with the generator's state after it."""
    return {}
