"""Patterns of 0 and 1, eight things a byte, so that sums under many patterns are looked up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lumiscope.statistics._kept_draws import Block
from lumiscope.types import BoolArray, DoubleArray

BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1)
"""(256, 8): the pattern of each byte."""


def packed(patterns: BoolArray | NDArray[np.int8]) -> Block:
    """(⌈n / 8⌉, m): the rows of `patterns`, (m, n) of 0 and 1, each a column."""
    return np.ascontiguousarray(np.packbits(patterns, axis=1).T)


def packed_sums(values: DoubleArray, patterns: Block) -> DoubleArray:
    """(m,): the sum of those of `values`, (n,), that are 1 in each of the packed `patterns`."""
    eights = np.zeros((len(patterns), 8))
    eights.ravel()[: len(values)] = values
    sums = np.zeros(patterns.shape[1])
    for of_bytes, column in zip(eights @ BITS.T, patterns, strict=True):
        sums += of_bytes.take(column)
    return sums
