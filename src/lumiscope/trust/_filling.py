"""Hidden pixels filled from those around them: the noisy linear imputation of ROAD.

Source: Rong et al. 2022, A Consistent and Efficient Evaluation Strategy for Attribution Methods, section 4.2: a hidden
pixel is the weighted mean of its neighbours (1/6 beside, 1/12 diagonal; none outside, the weights of the others sum to
1), plus noise. They use a sparse direct solver, we conjugate gradients, preconditioned by coarser grids.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from lumiscope.trust._grids import Grid, block_sums, correction, grids_of, hide, shown_counts
from lumiscope.types import FloatArray

NOISE = 0.01  # standard deviation, of a normalised picture
ENOUGH = 3e-5  # of the picture without its mean, roots of sums of squares: the last step, so that 1e-4 is the error
MOST_STEPS = 200


class Filling:
    """Fills holes in one picture, (C, H, W) float32. `seed`: of the noise, which is the same for all holes.

    Where everything is hidden there is nothing to fill from: it is the mean of each channel, plus noise (the authors'
    solver gives noise around 0, the mean of all pictures).
    """

    def __init__(self, picture: torch.Tensor, seed: int) -> None:
        self._device = picture.device
        mean = picture.mean((1, 2), keepdim=True)
        self._mean, self._centred = mean.cpu().numpy(), (picture - mean).cpu().numpy()
        self._enough = ENOUGH * float(np.linalg.norm(self._centred)) / math.sqrt(len(picture))
        self.noise = NOISE * torch.randn(picture.shape, generator=torch.Generator().manual_seed(seed))
        self._grids = grids_of(*picture.shape[1:])
        self._values, self._gap, self._direction, self._change = np.zeros((4, len(self._grids[0].gap)), np.float32)

    def __call__(self, shown: torch.Tensor) -> torch.Tensor:
        """(n, C, H, W): the picture as it is where it is `shown`, (n, H, W) bool, and filled elsewhere."""
        masks = shown.cpu().numpy()
        filled = np.empty((len(masks), *self._centred.shape), np.float32)
        for mask, picture in zip(masks, filled, strict=True):
            hidden = (~mask).astype(np.float32)
            np.multiply(self.noise.numpy(), hidden, out=picture)
            picture += self._mean
            if mask.any():
                counts = shown_counts(mask.astype(np.float32))
                grids = hide(self._grids, counts)
                for channel, result in zip(self._centred, picture, strict=True):
                    result += self._solution(grids, channel * mask, counts)
        return torch.from_numpy(filled).to(self._device)

    def _solution(self, grids: list[Grid], known: FloatArray, counts: list[FloatArray]) -> FloatArray:
        """(H, W) of one channel, by preconditioned conjugate gradients. `known`: 0 where it is hidden.

        The correction that would come next tells how much is missing; the last one is added.
        """
        grid, within = grids[0], grids[0].within
        values, gap, direction, step = self._values, self._gap, self._direction, self._change
        grid.inner(values)[:] = _start(known, counts)
        gap[within] = grid.residual(values)
        next_correction = correction(grids, gap)
        direction[:], fit = next_correction, gap @ next_correction
        for _ in range(MOST_STEPS):
            if math.sqrt(next_correction @ next_correction) <= self._enough:
                break
            change = grid.residual(direction)
            length = -fit / (direction[within] @ change)
            change *= length
            gap[within] += change
            values += np.multiply(direction, length, out=step)
            next_correction, before = correction(grids, gap), fit
            fit = gap @ next_correction
            direction *= fit / before
            direction += next_correction
        values += next_correction
        return grid.inner(values)


def _start(known: FloatArray, counts: list[FloatArray]) -> FloatArray:
    """(H, W): where nothing is known, means of the smallest of ever larger blocks in which something is.

    `known`: 0 elsewhere. `counts`: see `shown_counts`.
    """
    pyramid = [known]
    for count in counts[1:]:
        known = block_sums(known)
        known /= np.maximum(count, 1)
        pyramid.append(known)
    values = pyramid.pop()
    for known, count in zip(pyramid[::-1], counts[-2::-1], strict=True):
        values = _enlarged(values)[: count.shape[0], : count.shape[1]]
        np.copyto(values, known, where=count > 0)
    return values


def _enlarged(values: FloatArray) -> FloatArray:
    """(2h, 2w): each of (h, w) four times."""
    return values.repeat(2, 0).repeat(2, 1)
