"""A blob in the middle: photographers centre what they mean, so a guess without looking is often good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.declared_options import option
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.view_method import view_method
from lumiscope.types import DoubleArray, Target


@dataclass(frozen=True)
class GaussianOptions:
    """Options of the Gaussian baseline. `sigma`: standard deviation as a share of the view's shorter side."""

    sigma: float = option(0.25, above=0)


@view_method(
    "gaussian",
    title="Centred Gaussian",
    citation="a baseline, as the centre prior of Judd et al. 2009, Learning to Predict Where Humans Look, ICCV",
    passes="none",
    options=GaussianOptions,
    perturbs=False,
    class_blind=True,
)
def gaussian(view: PreparedView, predictor: Predictor, target: Target, options: GaussianOptions) -> DoubleArray:
    """exp(−r² / 2σ²), r the distance of a pixel's centre to the view's. Picture and model are not looked at."""
    return centred_gaussian(view.size, options.sigma)


def centred_gaussian(size: tuple[int, int], sigma: float) -> DoubleArray:
    """(H, W) in (0, 1]; `sigma` as a share of the shorter side."""
    down, across = (np.arange(side) + 0.5 - side / 2 for side in size)
    squared = down[:, None] ** 2 + across**2
    return np.asarray(np.exp(-squared / (2 * (sigma * min(size)) ** 2)))
