"""Many masks over the same positions, eight positions a byte, counted word by word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lumiscope.types import BoolArray, ByteArray, IntArray

Words = NDArray[np.uint64]
WORD = 64
BLOCK = 2**21  # words at a time: 16 MiB
_BITS_OF_A_BYTE: ByteArray = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1).astype(np.uint8)


@dataclass(frozen=True)
class PackedMasks:
    """`words`: (R, W) uint64, a row for each of R masks over the same positions, 64 of them a word."""

    words: Words

    @classmethod
    def of(cls, masks: BoolArray | PackedMasks) -> PackedMasks:
        """Pack (R, N) bool; positions that fill up the last word are False in every mask."""
        if isinstance(masks, PackedMasks):
            return masks
        return cls(packed(masks))

    def __len__(self) -> int:
        return len(self.words)

    @property
    def num_positions(self) -> int:
        """How many positions the words have room for: N, or a little more."""
        return WORD * int(self.words.shape[1])

    @property
    def sizes(self) -> IntArray:
        """(R,) how many positions are in each mask."""
        return population(self.words)


def packed(masks: BoolArray) -> Words:
    """(R, ceil(N / 64)) uint64 of (R, N) bool."""
    masks = np.asarray(masks, bool)
    filled = np.pad(masks, ((0, 0), (0, -masks.shape[1] % WORD)))
    return np.ascontiguousarray(np.packbits(filled, axis=1)).view(np.uint64)


def population(words: Words) -> IntArray:
    """How many bits are set along the last axis."""
    if hasattr(np, "bitwise_count"):  # numpy 2
        return np.asarray(np.bitwise_count(words).sum(axis=-1, dtype=np.int64))
    return np.asarray(_BITS_OF_A_BYTE[np.ascontiguousarray(words).view(np.uint8)].sum(axis=-1, dtype=np.int64))


def common_sizes(masks: Words, other: Words) -> IntArray:
    """(R,) how many positions each of the masks, (R, W), has in common with one other, (W,)."""
    if not masks.shape[1]:
        return np.zeros(len(masks), np.int64)
    rows = max(1, BLOCK // masks.shape[1])
    parts = [population(masks[start : start + rows] & other) for start in range(0, len(masks), rows)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
