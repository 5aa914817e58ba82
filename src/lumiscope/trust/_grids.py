"""Grids of one channel, each half as fine as the one before, on which holes in it are filled: a multigrid method.

Arrays of a grid are flat, ((h + 2) * (w + 2),) float32, with a border of zeros. So the neighbours of all pixels are
shifts of the whole array, and what a shift carries over an edge comes from the border. Buffers are made once: fresh
memory costs more than the sums. One channel at a time, as its buffers stay in the processor's cache; numpy, as most
arrays are so small that a call of torch costs more than its sums.
"""

from __future__ import annotations

import numpy as np

from lumiscope.types import FloatArray

SMALLEST = 8  # pixels a side, where sweeps alone do
LAST_SWEEPS = 12  # there, after the first: few leave the middle of large holes behind


class Grid:
    """One size. `hidden`: 1 where a pixel is hidden.

    The equation at a hidden pixel: neighbours (2 beside, 1 diagonal, none outside) times their difference to it sum to
    0. That is 12 times ROAD's, whose weights would be rounded, which shifts the middle of large holes.
    """

    def __init__(self, height: int, width: int) -> None:
        self.shape, self.size = (height + 2, width + 2), (height, width)
        line, length = width + 2, (height + 2) * (width + 2)
        self.within = slice(line + 1, length - line - 1)
        buffers = np.zeros((8, length), np.float32)
        self.hidden, self.values, self.gap, self._step, self._share, self._spread, self._centre, self._product = buffers
        first, second = np.zeros((2, length), np.float32)
        ends = [length - 1, length - 2, length - 2 - line, length - 2 - 2 * line]
        self._first, self._sum = first[: ends[0]], second[: ends[3]]
        self._shifts = [
            (first[1 : ends[0]], first[: ends[1]], second[: ends[1]]),
            (second[line : ends[1]], second[: ends[2]], first[: ends[2]]),
            (first[line : ends[2]], first[: ends[3]], self._sum),
        ]
        self._sums = second[: height * line].reshape(height, line)[:, :width]
        self._halves = np.empty((height // 2, width), np.float32)
        self._values, self._steps = self.values[self.within], self._step[self.within]
        self._shares, self._centres = self._share[self.within], self._centre[self.within]
        self._products = self._product[self.within]
        self.inner(self._spread).fill(1)
        self._centres[:] = self._blurred(self._spread)
        self._shares_of_all = 1 / np.maximum(self._centre, 1)
        self._steps_of_all = 1 / np.maximum(self._centre - 4, 1)

    def inner(self, flat: FloatArray) -> FloatArray:
        """(h, w): a flat array without its border."""
        return flat.reshape(self.shape)[1:-1, 1:-1]

    def hide(self, hidden: FloatArray) -> None:
        """Set which pixels are hidden. `hidden`: (h, w), 1 or 0."""
        self.inner(self.hidden)[:] = hidden
        np.multiply(self.hidden, self._shares_of_all, out=self._share)
        np.multiply(self.hidden, self._steps_of_all, out=self._step)

    def residual(self, values: FloatArray) -> FloatArray:
        """What each pixel lacks to fit its neighbours, `within` the border; overwritten by the next call.

        Of known pixels, too, where it means nothing.
        """
        missing = self._blurred(values)
        np.multiply(self._centres, values[self.within], out=self._products)
        return np.subtract(missing, self._products, out=missing)

    def swept(self, gap: FloatArray) -> FloatArray:
        """What closes `gap` a little: new `values`."""
        return np.multiply(gap, self._step, out=self.values)

    def sweep(self, gap: FloatArray) -> None:
        """Better `values`, which are to close `gap`."""
        missing = self.residual(self.values)
        missing += gap[self.within]
        missing *= self._steps
        self._values += missing

    def left(self, gap: FloatArray) -> FloatArray:
        """What of `gap` the values leave open; overwritten by the next call of anything."""
        np.add(self.residual(self.values), gap[self.within], out=self._products)
        return self._product

    def restrict(self, gap: FloatArray, coarse: Grid) -> None:
        """Set the gap of the next grid: the transpose of `prolong`."""
        np.multiply(gap, self._share, out=self._spread)
        self._blurred(self._spread)
        block_sums(self._sums, self._halves, coarse.inner(coarse.gap))

    def prolong(self, coarse: Grid) -> None:
        """Add the values of the next grid to those of hidden pixels, linearly between."""
        height, width = self.size
        values, spread = coarse.inner(coarse.values), self.inner(self._spread)
        spread[::2, ::2] = values
        spread[::2, 1::2] = values[:, : width // 2]
        spread[1::2] = spread[: height // 2 * 2 : 2]
        blurred = self._blurred(self._spread)
        blurred *= self._shares
        self._values += blurred

    def _blurred(self, values: FloatArray) -> FloatArray:
        """1 2 1 down times 1 2 1 across: the neighbours' sum and 4 times the pixel; flat, `within` the border."""
        np.add(values[1:], values[:-1], out=self._first)
        for later, earlier, result in self._shifts:
            np.add(later, earlier, out=result)
        return self._sum


def grids_of(height: int, width: int) -> list[Grid]:
    """A grid of the picture's size, then each of half the size (rounded up) of the one before."""
    grids = [Grid(height, width)]
    while max(grids[-1].size) > SMALLEST:
        height, width = (height + 1) // 2, (width + 1) // 2
        grids.append(Grid(height, width))
    return grids


def hide(grids: list[Grid], counts: list[FloatArray]) -> list[Grid]:
    """Set what is hidden: pixels of a grid of which nothing is shown. Those grids that are of use.

    `counts`: see `shown_counts`.
    """
    for level, (grid, count) in enumerate(zip(grids, counts, strict=False)):
        hidden = (count == 0).astype(np.float32)
        if level and not hidden.any():
            return grids[:level]
        grid.hide(hidden)
    return grids


def shown_counts(shown: FloatArray) -> list[FloatArray]:
    """How many of the pixels before each pixel of ever larger blocks stands for: `shown`, then (h/2, w/2) and so on."""
    counts = [shown]
    while max(counts[-1].shape) > 1:
        counts.append(block_sums(np.minimum(counts[-1], 1)))
    return counts


def correction(grids: list[Grid], gap: FloatArray) -> FloatArray:
    """What to add to hidden pixels of the first grid to close `gap`, nearly; the next call overwrites it.

    A V-cycle, the same forwards and backwards: one sweep before and one after the coarser grids.
    """
    grid, *coarser = grids
    grid.swept(gap)
    if coarser:
        grid.restrict(grid.left(gap), coarser[0])
        correction(coarser, coarser[0].gap)
        grid.prolong(coarser[0])
    for _ in range(1 if coarser else LAST_SWEEPS):
        grid.sweep(gap)
    return grid.values


def block_sums(values: FloatArray, halves: FloatArray | None = None, out: FloatArray | None = None) -> FloatArray:
    """(h/2, w/2), rounded up: the sums of blocks of 2 x 2 of (h, w). `halves`, `out`: buffers, for even sizes."""
    height, width = values.shape
    if height % 2 or width % 2:
        values, halves = np.pad(values, ((0, height % 2), (0, width % 2))), None
    halves = np.add(values[::2], values[1::2], out=halves)
    return np.asarray(np.add(halves[:, ::2], halves[:, 1::2], out=out))
