"""Hidden pixels filled from those around them: the noisy linear imputation of ROAD.

Source: Rong et al. 2022, A Consistent and Efficient Evaluation Strategy for Attribution Methods, section 4.2: a hidden
pixel is the weighted mean of its neighbours (1/6 beside, 1/12 diagonal; none outside, the weights of the others sum to
1), plus noise. They use a sparse direct solver, we conjugate gradients, preconditioned by coarser grids.
"""

from __future__ import annotations

import torch

from lumiscope.trust._grids import Grid, block_sums, correction, grids_of, hide

NOISE = 0.01  # standard deviation, of a normalised picture
ENOUGH = 4e-5  # of the picture without its mean, roots of sums of squares: the last step, so that 1e-4 is the error
MOST_STEPS = 200


class Filling:
    """Fills holes in one picture, (C, H, W) float32. `seed`: of the noise, which is the same for all holes.

    Where everything is hidden there is nothing to fill from: it is the mean of each channel, plus noise (the authors'
    solver gives noise around 0, the mean of all pictures).
    """

    def __init__(self, picture: torch.Tensor, seed: int) -> None:
        self._mean = picture.mean((1, 2), keepdim=True)
        self._centred = (picture - self._mean).contiguous()
        self._enough = ENOUGH * float(self._centred.norm())
        generator = torch.Generator().manual_seed(seed)
        self.noise = (NOISE * torch.randn(picture.shape, generator=generator)).to(picture.device)
        channels, height, width = picture.shape
        self._grids = grids_of(channels, height, width, picture.device)

    def __call__(self, shown: torch.Tensor) -> torch.Tensor:
        """(n, C, H, W): the picture as it is where it is `shown`, (n, H, W) bool, and filled elsewhere."""
        return torch.stack([self._filled(mask) for mask in shown.to(self._mean.device)])

    def _filled(self, shown: torch.Tensor) -> torch.Tensor:
        hidden = (~shown).float()
        smooth = self._solution(hidden) if shown.any() else torch.zeros_like(self._centred)
        return smooth + self._mean + self.noise * hidden

    def _solution(self, hidden: torch.Tensor) -> torch.Tensor:
        """(C, H, W), without mean and noise, by preconditioned conjugate gradients.

        The correction that would come next tells how much is missing; the last one is added.
        """
        grids = hide(self._grids, hidden)
        grid, within = grids[0], grids[0].within
        values, gap = torch.zeros(2, len(grid.gap), device=grid.gap.device)
        grid.inner(values).copy_(self._start(grids, hidden))
        gap[within] = grid.residual(values)
        next_correction = correction(grids, gap)
        direction, fit = next_correction.clone(), torch.dot(gap, next_correction)
        for _ in range(MOST_STEPS):
            if float(next_correction.norm()) <= self._enough:
                break
            change = grid.residual(direction)
            length = -float(fit / torch.dot(direction[within], change))
            values.add_(direction, alpha=length)
            gap[within].add_(change, alpha=length)
            next_correction, before = correction(grids, gap), fit
            fit = torch.dot(gap, next_correction)
            direction.mul_(float(fit / before)).add_(next_correction)
        return grid.inner(values.add_(next_correction))

    def _start(self, grids: list[Grid], hidden: torch.Tensor) -> torch.Tensor:
        """(C, H, W): means of ever larger blocks of what is shown, corrected at every size but the finest."""
        weight = 1 - hidden[None]
        pyramid = [(self._centred * weight, weight)]
        while max(weight.shape[1:]) > 1:
            total, weight = (block_sums(part) for part in pyramid[-1])
            pyramid.append((total / weight.clamp(min=1), weight.clamp_(max=1)))
        values, _ = pyramid.pop()
        for level, (known, weight) in reversed(list(enumerate(pyramid))):
            values = known + (1 - weight) * _enlarged(values)[:, : weight.shape[1], : weight.shape[2]]
            if 0 < level < len(grids):
                grid = grids[level]
                flat, gap = torch.zeros(2, len(grid.gap), device=values.device)
                grid.inner(flat).copy_(values)
                gap[grid.within] = grid.residual(flat)
                values = grid.inner(flat.add_(correction(grids[level:], gap)))
        return values


def _enlarged(values: torch.Tensor) -> torch.Tensor:
    """(C, 2h, 2w): each of (C, h, w) four times."""
    return values.repeat_interleave(2, 1).repeat_interleave(2, 2)
