"""What each unit of a layer contributes to the score of a class: integrated gradients along the layer's activations.

Source: Sundararajan, Taly and Yan 2017, "Axiomatic Attribution for Deep Networks", equation 1, with a layer's
activations in the place of the pixels: the path from zero activations to those of the image; the contributions of a
unit's positions are added. (Dhamdhere, Sundararajan and Yan 2019, "How Important Is a Neuron?", follow the pixels'
path instead, on which the layer's activations need not begin at 0.) Where the head is pooling and a linear layer, a
unit contributes its weight times its mean activation, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.targets import target_scores
from lumiscope.models import Cut, UnitPooling, find_layer, in_batches, in_float64
from lumiscope.types import DoubleArray, IntArray, Target
from lumiscope.unit_address import CLASS_TOKEN

TOLERANCE = 0.01
NODES = 8  # of each part of the path
MOST_STEPS = 512
REMOVED = 10
ROUNDING = 1e-5  # of the scores: what float32 leaves of their difference


@dataclass(frozen=True)
class UnitContributions:
    """What the units of one layer contribute to a score S of each image.

    `layer`: its address. `contributions`: (B, U) float64. `scores`: (B,) S(A) for the activations A that the image
    gives. `baselines`: (B,) S(0), with the units silent and all else, such as what flows around the layer, as it is.
    `steps`: (B,) nodes of the integration; 0 where the contributions have a closed form.
    `errors`: (B, U) how far each contribution is from what twice as many nodes give; 0 for a closed form. `removals`:
    (B, U) S(A) - S(A without the unit), exactly, of the units with the largest |contribution|; NaN for the others. It
    differs from the contribution where the head is not linear: what a unit adds then depends on the other units.
    """

    layer: str
    contributions: DoubleArray
    errors: DoubleArray
    removals: DoubleArray
    scores: DoubleArray
    baselines: DoubleArray
    steps: IntArray

    @property
    def differences(self) -> DoubleArray:
        """(B,) S(A) - S(0), what the contributions add up to; NaN where rounding hides it: nothing to account for."""
        gap = self.scores - self.baselines
        hidden = np.abs(gap) <= ROUNDING * np.maximum(np.abs(self.scores), np.abs(self.baselines))
        return np.asarray(np.where(hidden, np.nan, gap), np.float64)

    @property
    def completeness_error(self) -> DoubleArray:
        """(B,) how much of S(A) - S(0) the contributions of all units miss, as a share of it; NaN: see there."""
        missed = self.contributions.sum(1) - self.differences
        return np.asarray(np.abs(missed) / np.abs(self.differences), np.float64)

    @property
    def shares(self) -> DoubleArray:
        """(B, U) the contributions as shares of S(A) - S(0)."""
        return self.contributions / self.differences[:, None]


def unit_contributions(
    prepared: PreparedLayer,
    targets: Sequence[Target],
    *,
    class_token: bool = False,
    tolerance: float = TOLERANCE,
    most_steps: int = MOST_STEPS,
    removed: int = REMOVED,
) -> UnitContributions:
    """What the units of one layer contribute to the target score of each image of a batch.

    `class_token`: of a layer of tokens, the units of the class token alone; else those of the patches alone. Nodes
    are added until the contributions miss at most `tolerance` of S(A) - S(0), or there are `most_steps`; what they
    miss is in `completeness_error`. `removed`: how many units are silenced one at a time. Errors: `LayerError` for a
    layer without units; `ModelError` where the score has no gradient.
    """
    layer = find_layer(prepared.model, prepared.name)
    pooling = UnitPooling.of(layer, class_token=class_token)
    whole_maps = layer.has_map and not class_token and not (layer.layout is not None and layer.layout.prefix)
    weights = prepared.linear_head if whole_maps else None
    paths = [_Path(prepared, pooling, prepared.cut.row(row), target) for row, target in enumerate(targets)]
    silent = torch.stack([path.score(0.0) for path in paths])
    scores = torch.stack([path.score(1.0) for path in paths])
    if weights is not None:
        means = in_float64(pooling.total(prepared.cut.activations)) / layer.map_layout.positions
        contributions = torch.stack([means[row] * in_float64(weights[to.index]) for row, to in enumerate(targets)])
        errors = torch.zeros_like(contributions)
        steps = [0] * len(targets)
    else:
        ends = zip(silent.tolist(), scores.tolist(), strict=True)
        parts = [path.integrated(both, tolerance, most_steps) for path, both in zip(paths, ends, strict=True)]
        contributions = torch.stack([_sum(of_path) for of_path in parts])
        finer = (path.halved(of_path) for path, of_path in zip(paths, parts, strict=True))
        errors = torch.stack([(_sum(fine) - _sum(coarse)).abs() for fine, coarse in zip(finer, parts, strict=True)])
        steps = [NODES * len(of_path) for of_path in parts]
    return UnitContributions(
        layer.name + (CLASS_TOKEN if class_token else ""),
        contributions.cpu().numpy(),
        errors.cpu().numpy(),
        torch.stack([path.removals(row, removed) for path, row in zip(paths, contributions, strict=True)])
        .cpu()
        .numpy(),
        scores.cpu().numpy(),
        silent.cpu().numpy(),
        np.array(steps, np.int64),
    )


@dataclass(frozen=True)
class _Part:
    """A part of a path, from `start` to `end` in [0, 1], where the score is `scores`: (first, halfway, last).

    `contributions`: (U,) float64, those that are made on it.
    """

    start: float
    end: float
    scores: tuple[float, float, float]
    contributions: torch.Tensor

    @property
    def error(self) -> float:
        """How much of the score's change on this part the contributions miss."""
        return abs(float(self.contributions.sum()) - (self.scores[2] - self.scores[0]))


def _sum(parts: Sequence[_Part]) -> torch.Tensor:
    """(U,): the contributions on all parts of a path."""
    return torch.stack([part.contributions for part in parts]).sum(0)


@dataclass(frozen=True)
class _Path:
    """The straight path from silent units, 0, to those of one image, 1, in the layer's output. `cut`: of the image."""

    layer: PreparedLayer
    pooling: UnitPooling
    cut: Cut
    target: Target

    def score(self, factor: float) -> torch.Tensor:
        """() float64: the target's score with the units' activations multiplied by `factor`."""
        activations = self.pooling.scaled(self.cut.activations, self.cut.activations.new_tensor([factor]))
        return in_float64(target_scores(self.layer.head(self.cut.with_activations(activations)), [self.target])[0])

    def integrated(self, ends: tuple[float, float], tolerance: float, most_steps: int) -> list[_Part]:
        """The path in parts that together miss little.

        It is halved where the contributions miss most, as scores may change within a thousandth of it: after a layer
        norm they hardly depend on how large activations are, but for tiny ones. `ends`: S(0) and S(A).
        """
        parts = [self.part(0.0, 1.0, ends)]
        allowed = tolerance * abs(ends[1] - ends[0])
        while sum(part.error for part in parts) > allowed and NODES * (len(parts) + 1) <= most_steps:
            worst = max(parts, key=lambda part: part.error)
            at = parts.index(worst)
            parts[at : at + 1] = self.halved([worst])
        return parts

    def halved(self, parts: Sequence[_Part]) -> list[_Part]:
        """Each part in two, with as many nodes on either half as on the whole."""
        halves = []
        for part in parts:
            first, middle, last = part.scores
            halfway = (part.start + part.end) / 2
            halves += [self.part(part.start, halfway, (first, middle)), self.part(halfway, part.end, (middle, last))]
        return halves

    def removals(self, contributions: torch.Tensor, count: int) -> torch.Tensor:
        """(U,) float64: how much the score falls without a unit, of the `count` with the largest |contribution|."""
        units = contributions.abs().argsort(descending=True, stable=True)[:count]

        def run(first: int, last: int) -> torch.Tensor:
            activations = self.pooling.without(self.cut.activations, units[first:last].to(self.cut.activations.device))
            logits = self.layer.head(self.cut.with_activations(activations))
            return in_float64(target_scores(logits, [self.target] * (last - first)))

        without = in_batches(run, len(units), self.layer.model.batch_size)
        removals = torch.full_like(contributions, math.nan)
        removals[units] = (self.score(1.0) - without).to(removals)
        return removals

    def part(self, start: float, end: float, ends: tuple[float, float]) -> _Part:
        """A · (the mean of dS/dA on a part of the path) · its length, by a Gauss-Legendre sum, over unit positions.

        `ends`: the scores at its start and its end.
        """
        places, shares = np.polynomial.legendre.leggauss(NODES)
        half = (end - start) / 2
        # the last node, of weight 0, is there for the score halfway
        nodes = torch.from_numpy(start + half * (np.append(places, 0) + 1))
        nodes = nodes.to(self.cut.activations.dtype).to(self.cut.activations.device)
        weights = torch.from_numpy(half * np.append(shares, 0)).to(nodes.dtype).to(nodes.device)

        def run(first: int, last: int) -> torch.Tensor:
            with torch.enable_grad():
                leaf = self.pooling.scaled(self.cut.activations, nodes[first:last]).detach().requires_grad_()
                logits = self.layer.differentiable_head(self.cut.with_activations(leaf)).float()
                scores = target_scores(logits, [self.target] * len(leaf))
                (gradient,) = torch.autograd.grad(scores.sum(), leaf)
            mean = torch.einsum("n,n...->...", weights[first:last], gradient)
            contributions = self.pooling.total(in_float64(self.cut.activations * mean))
            return torch.cat([contributions, in_float64(scores[-1:, None].detach())], 1)

        sums = in_batches(run, len(nodes), self.layer.model.batch_size)
        return _Part(start, end, (ends[0], float(sums[-1, -1]), ends[1]), sums[:, :-1].sum(0))
