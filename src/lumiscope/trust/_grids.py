"""Grids of one picture, each half as fine as the one before, on which holes in it are filled: a multigrid method.

Arrays of a grid are flat, (C * (h + 2) * (w + 2),), with a border of zeros around every channel. So the neighbours of
all pixels are shifts of the whole array, and what a shift carries over an edge comes from the border. Buffers are made
once for a picture: fresh memory costs more than the sums.
"""

from __future__ import annotations

import torch

SMALLEST = 8  # pixels a side, where sweeps alone do
LAST_SWEEPS = 4  # there


class Grid:
    """One size. `hidden`: 1 where a pixel is hidden, in all channels alike.

    The equation at a hidden pixel: neighbours (2 beside, 1 diagonal, none outside) times their difference to it sum to
    0. That is 12 times ROAD's, whose weights would be rounded, which shifts the middle of large holes.
    """

    def __init__(self, channels: int, height: int, width: int, device: torch.device) -> None:
        self.shape, self.size = (channels, height + 2, width + 2), (height, width)
        line, length = width + 2, channels * (height + 2) * (width + 2)
        self.within = slice(line + 1, length - line - 1)
        buffers = torch.zeros(9, length, device=device)
        self.hidden, self.values, self.gap, self._step, self._share, self._spread, self._centre = buffers[:7]
        first, second = buffers[7:]
        ends = [length - 1, length - 2, length - 2 - line, length - 2 - 2 * line]
        self._first: torch.Tensor = first[: ends[0]]
        self._sum: torch.Tensor = second[: ends[3]]
        self._shifts = [
            (first[1 : ends[0]], first[: ends[1]], second[: ends[1]]),
            (second[line : ends[1]], second[: ends[2]], first[: ends[2]]),
            (first[line : ends[2]], first[: ends[3]], self._sum),
        ]
        self._sums = second.as_strided((channels, height, width), (self.shape[1] * line, line, 1))
        self._halves = torch.empty(channels, height // 2, width, device=device)
        self.inner(self._spread).fill_(1)
        self._centre[self.within] = self._blurred(self._spread)

    def inner(self, flat: torch.Tensor) -> torch.Tensor:
        """(C, h, w): a flat array without its border."""
        return flat.view(self.shape)[:, 1:-1, 1:-1]

    def hide(self, hidden: torch.Tensor) -> None:
        """Set which pixels are hidden. `hidden`: (h, w), 1 or 0."""
        self.inner(self.hidden).copy_(hidden)
        torch.div(self.hidden, self._centre.clamp(min=1), out=self._share)
        torch.div(self.hidden, (self._centre - 4).clamp_(min=1), out=self._step)

    def residual(self, values: torch.Tensor) -> torch.Tensor:
        """What each pixel lacks to fit its neighbours, `within` the border; overwritten by the next call.

        Of known pixels, too, where it means nothing.
        """
        missing = self._blurred(values)
        return missing.addcmul_(self._centre[self.within], values[self.within], value=-1)

    def swept(self, gap: torch.Tensor) -> torch.Tensor:
        """What closes `gap` a little: new `values`."""
        return torch.mul(gap, self._step, out=self.values)

    def sweep(self, gap: torch.Tensor) -> None:
        """Better `values`, which are to close `gap`."""
        missing = self.residual(self.values).add_(gap[self.within])
        self.values[self.within].addcmul_(missing, self._step[self.within])

    def left(self, gap: torch.Tensor) -> torch.Tensor:
        """What of `gap` the values leave open."""
        missing = torch.zeros_like(gap)
        torch.add(self.residual(self.values), gap[self.within], out=missing[self.within])
        return missing

    def restrict(self, gap: torch.Tensor, coarse: Grid) -> None:
        """Set the gap of the next grid: the transpose of `prolong`."""
        torch.mul(gap, self._share, out=self._spread)
        self._blurred(self._spread)
        block_sums(self._sums, self._halves, coarse.inner(coarse.gap))

    def prolong(self, coarse: Grid) -> None:
        """Add the values of the next grid to those of hidden pixels, linearly between."""
        height, width = self.size
        values, spread = coarse.inner(coarse.values), self.inner(self._spread)
        spread[:, ::2, ::2] = values
        spread[:, ::2, 1::2] = values[..., : width // 2]
        spread[:, 1::2] = spread[:, : height // 2 * 2 : 2]
        self.values[self.within].addcmul_(self._blurred(self._spread), self._share[self.within])

    def _blurred(self, values: torch.Tensor) -> torch.Tensor:
        """1 2 1 down times 1 2 1 across: the neighbours' sum and 4 times the pixel; flat, `within` the border."""
        torch.add(values[1:], values[:-1], out=self._first)
        for later, earlier, result in self._shifts:
            torch.add(later, earlier, out=result)
        return self._sum


def grids_of(channels: int, height: int, width: int, device: torch.device) -> list[Grid]:
    """A grid of the picture's size, then each of half the size (rounded up) of the one before."""
    grids = [Grid(channels, height, width, device)]
    while max(grids[-1].size) > SMALLEST:
        height, width = (height + 1) // 2, (width + 1) // 2
        grids.append(Grid(channels, height, width, device))
    return grids


def hide(grids: list[Grid], hidden: torch.Tensor) -> list[Grid]:
    """Set what is hidden: pixels of a coarse grid where all are that they stand for. Those grids that are of use."""
    for level, grid in enumerate(grids):
        if level and not hidden.any():
            return grids[:level]
        grid.hide(hidden)
        hidden = (block_sums(1 - hidden[None])[0] == 0).float()
    return grids


def correction(grids: list[Grid], gap: torch.Tensor) -> torch.Tensor:
    """What to add to hidden pixels of the first grid to close `gap`, nearly; the next call overwrites it.

    A V-cycle, the same forwards and backwards. On the first grid, where a sweep costs as much as on all others
    together, there is one before and one after them.
    """
    return _cycle(grids, gap, 1, 1)


def _cycle(grids: list[Grid], gap: torch.Tensor, before: int, after: int) -> torch.Tensor:
    """The values of the first grid that close `gap`, nearly. `before`, `after`: sweeps around the coarser grids."""
    grid, *coarser = grids
    grid.swept(gap)
    for _ in range(before - 1 if coarser else LAST_SWEEPS):
        grid.sweep(gap)
    if coarser:
        grid.restrict(grid.left(gap), coarser[0])
        _cycle(coarser, coarser[0].gap, 2, 2)
        grid.prolong(coarser[0])
        for _ in range(after):
            grid.sweep(gap)
    values: torch.Tensor = grid.values
    return values


def block_sums(
    values: torch.Tensor, halves: torch.Tensor | None = None, out: torch.Tensor | None = None
) -> torch.Tensor:
    """(C, h/2, w/2), rounded up: the sums of blocks of 2 x 2 of (C, h, w). `halves`, `out`: buffers, for even sizes."""
    height, width = values.shape[1:]
    if height % 2 or width % 2:
        values, halves = torch.nn.functional.pad(values, (0, width % 2, 0, height % 2)), None
    halves = torch.add(values[:, ::2], values[:, 1::2], out=halves)
    return torch.add(halves[..., ::2], halves[..., 1::2], out=out)
