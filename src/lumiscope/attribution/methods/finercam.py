"""Finer-CAM: Grad-CAM of what sets a class apart from those that look like it.

Source: Zhang et al. 2025, "Finer-CAM: Spotting the Difference Reveals Finer Details for Visual Explanation", with
Grad-CAM as its base, and the classes weighted by their probabilities, as in grad-cam 1.5.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from lumiscope.attribution.cam import GRADIENT_PASSES, LayerMaps, cam_method, weighted_sum
from lumiscope.attribution.declared_options import option
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.attribution.targets import target_scores
from lumiscope.types import Target


@dataclass(frozen=True)
class FinerOptions(FlipOptions):
    """`alpha`: how much of the other classes' scores is taken away. `comparisons`: how many other classes, at most.

    Those are the ones whose raw scores are nearest to the target's.
    """

    alpha: float = 1.0
    comparisons: int = option(3, at_least=1)


@cam_method(
    "finercam",
    title="Finer-CAM",
    citation="Zhang et al. 2025, Finer-CAM, arXiv:2501.11309",
    passes=GRADIENT_PASSES,
    options=FinerOptions,
    needs_gradients=True,
)
def finercam(layer: PreparedLayer, targets: Sequence[Target], options: FinerOptions) -> LayerMaps:
    """Grad-CAM of S_c - alpha · sum_d q_d S_d: c the target, d the classes nearest to it, q their softmax.

    The gradient goes through q, too. In grad-cam q_d is p_d / (sum_d p_d + 1e-9) with probabilities among all classes:
    the same, but where the network is so sure that the p_d vanish. There the target is the class itself, here also
    where another has the same score. `details`: the classes it was compared with.
    """
    scored = zip(layer.logits.cpu(), targets, strict=True)
    others = torch.stack([_nearest(scores, target, options.comparisons) for scores, target in scored])
    rows = torch.arange(len(targets))

    def difference(logits: torch.Tensor) -> torch.Tensor:
        compared = logits[rows[:, None], others]
        mixed = (compared.softmax(1) * compared).sum(1)
        return target_scores(logits, targets) - options.alpha * mixed

    weights = layer.gradients_of(difference).mean((2, 3))
    names = layer.model.classes
    details = [{"compared_with": ", ".join(names[index] for index in row)} for row in others.tolist()]
    return LayerMaps(weighted_sum(layer.maps, weights), details)


def _nearest(scores: torch.Tensor, target: Target, count: int) -> torch.Tensor:
    """(count,) the classes whose scores are nearest to the target's, the nearest first; ties: the lower index."""
    order = (scores - scores[target.index]).abs().argsort(stable=True)
    return order[order != target.index][:count]
