"""What the model says of a view that fades where the map is low. Asked for to compare with papers; misleading alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lumiscope.attribution import KeptClasses
from lumiscope.trust.candidates import Candidate, Score, Undefined, scores_of
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.registry import trust_metric
from lumiscope.types import DoubleArray, FedArray

CITATION = "Chattopadhay et al. 2018, Grad-CAM++, section 4.1"
UNDEFINED = Undefined("the model gives the target no positive probability, of which a share could fall")


@trust_metric(
    "average_drop",
    title="Average drop",
    citation=CITATION,
    property="correctness",
    direction="lower",
    range=(0, 1),
    null="constant",
    verdict="misleading alone",
    caution="a map that is high everywhere says nothing, leaves the view as it is, and scores best",
)
def average_drop(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """By which share the probability falls where the view fades to its mean colour as the map falls; 0 where it rises.

    The map is brought to [0, 1] first; one that is constant is 1. Chattopadhay et al. fade to black and take the mean
    over views.
    """
    return _compared(view, candidates, lambda whole, faded: max(whole - faded, 0) / whole)


@trust_metric(
    "average_increase",
    title="Average increase",
    citation=CITATION,
    property="correctness",
    range=(0, 1),
    null="centred",
    verdict="misleading alone",
    caution="a map that hides little of the backdrop, wherever it points, raises the probability as well",
)
def average_increase(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """1 where the probability rises as the view fades to its mean colour where the map is low, else 0."""
    return _compared(view, candidates, lambda whole, faded: float(faded > whole))


@trust_metric(
    "adcc",
    title="ADCC",
    citation="Poppi et al. 2021, Revisiting the Evaluation of Class Activation Mapping, equation 5",
    property="correctness",
    range=(0, 1),
    needs=("explainer",),
    null="centred",
    verdict="misleading alone",
    caution="two of its three parts are good for any small blob that stays where it is, right or wrong",
)
def adcc(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Harmonic mean of coherency, 1 - complexity and 1 - `average_drop`; 0 where one of them is.

    Coherency: Pearson's correlation of the map with the map of the faded view, 0 where it is negative or one of them is
    constant. Complexity: the mean of the map in [0, 1].
    """
    drops = dict(zip(map(id, candidates), average_drop(view, candidates), strict=True))

    def score(candidate: Candidate) -> Score:
        drop = drops[id(candidate)]
        if isinstance(drop, Undefined):
            return drop
        if candidate.explainer is None:
            return Undefined("there is only the map, no method that could explain the faded view")
        (again,) = candidate.explainer([_faded(view, candidate)])
        if not np.isfinite(again).all():
            return Undefined("the map of the faded view is undefined")
        parts = (_coherency(candidate.values, again), 1 - float(_shares(candidate).mean()), 1 - drop)
        return len(parts) / sum(1 / part for part in parts) if min(parts) > 0 else 0.0

    return scores_of(candidates, score)


def _compared(
    view: JudgedView, candidates: Sequence[Candidate], compare: Callable[[float, float], float]
) -> list[Score]:
    """`compare` of the probability of the whole view, which is positive, and of the view as each map fades it."""
    masks = [np.ones(view.size), *(_shares(candidate) for candidate in candidates if not candidate.blank)]
    probabilities = view.predictor.masked_probabilities(
        view.view.fed,
        view.hidden("mean"),
        lambda start, stop: np.stack(masks[start:stop]).astype(np.float32),
        len(masks),
        KeptClasses(view.target.index),
    )[:, 0].tolist()
    whole, *faded = probabilities
    if not whole > 0:
        return [UNDEFINED] * len(candidates)
    following = iter(faded)
    return scores_of(candidates, lambda candidate: compare(whole, next(following)))


def _shares(candidate: Candidate) -> DoubleArray:
    """(H, W) the map, from 0 at its lowest to 1 at its highest; 1 where it is constant."""
    low, high = candidate.values.min(), candidate.values.max()
    return np.ones(candidate.values.shape) if low == high else (candidate.values - low) / (high - low)


def _faded(view: JudgedView, candidate: Candidate) -> FedArray:
    """(H, W, C) the view, its mean colour where the map is low; rounded where pixels are."""
    pixels, shares = view.view.fed, _shares(candidate)[..., np.newaxis]
    faded = shares * pixels + (1 - shares) * view.hidden("mean")
    return np.asarray(np.rint(faded) if pixels.dtype == np.uint8 else faded, pixels.dtype)


def _coherency(values: DoubleArray, again: DoubleArray) -> float:
    if np.ptp(values) == 0 or np.ptp(again) == 0:
        return 0.0
    return max(float(np.corrcoef(values.ravel(), again.ravel())[0, 1]), 0.0)
