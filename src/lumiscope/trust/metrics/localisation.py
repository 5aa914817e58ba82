"""Does a map lie on the object? Plausible places: a network that looks beside the object should fail here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.special import gammaln

from lumiscope.trust.bam import lift
from lumiscope.trust.candidates import Candidate, Score, Undefined, scores_of
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.registry import trust_metric
from lumiscope.trust.ties import at_the_edge, expected_share
from lumiscope.types import BoolArray, DoubleArray, IntArray

PLAUSIBLE = "says whether a map is plausible, not whether it is right: a network that uses the context should fail"
TOLERANCE = 15 / 224  # of the view's shorter side: how far beside the object still hits


@trust_metric(
    "pointing_game",
    title="Pointing game",
    citation="Zhang et al. 2016, Top-down Neural Attention by Excitation Backprop",
    property="coherence",
    range=(0, 1),
    needs=("truth",),
    caution=PLAUSIBLE,
    by_default=True,
)
def pointing_game(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Whether the highest pixel lies on the object or near it: 1 or 0; of several highest ones, the share that do.

    Near: within 15 pixels of a view of 224. What a random map scores is the area of the object with that border.
    """

    def score(truth: BoolArray) -> Callable[[Candidate], Score]:
        near = _near(truth)
        return lambda candidate: float(near[candidate.values == candidate.values.max()].mean())

    return _scores(view, candidates, score, _near)


@trust_metric(
    "energy",
    title="Energy inside per area",
    citation="after Wang et al. 2020, Score-CAM (energy-based pointing game), there not divided by the area",
    property="coherence",
    range=(0, None),
    needs=("truth",),
    caution=PLAUSIBLE,
    by_default=True,
)
def energy(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """The object's share of the map's positive values, per its share of the view: 1 for a map that knows nothing."""
    return _scores(view, candidates, lambda truth: _of_positive(lambda values: lift(values, truth)))


@trust_metric(
    "mass_accuracy",
    title="Relevance mass accuracy",
    citation="Arras et al. 2022, CLEVR-XAI: A Benchmark for the Ground Truth Evaluation of Neural Network Explanations",
    property="coherence",
    range=(0, 1),
    needs=("truth",),
    verdict="with care",
    caution=f"{PLAUSIBLE}; and large objects score high by their area alone",
)
def mass_accuracy(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """The object's share of the map's positive values; of a random map its area. Channels were pooled by the method."""
    return _scores(
        view, candidates, lambda truth: _of_positive(lambda values: lift(values, truth) * float(truth.mean()))
    )


@trust_metric(
    "rank_accuracy",
    title="Relevance rank accuracy",
    citation="Arras et al. 2022, CLEVR-XAI: A Benchmark for the Ground Truth Evaluation of Neural Network Explanations",
    property="coherence",
    range=(0, 1),
    needs=("truth",),
    caution=PLAUSIBLE,
    by_default=True,
)
def rank_accuracy(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Of the highest pixels, as many as the object has, the share on it; of those that tie, what is expected."""

    def score(truth: BoolArray) -> Callable[[Candidate], Score]:
        inside, count = truth.ravel().astype(np.float64), int(truth.sum())
        return lambda candidate: expected_share(inside, candidate.values.ravel(), count)

    return _scores(view, candidates, score)


@trust_metric(
    "mask_iou",
    title="IoU at the true area",
    citation="after Choe et al. 2020, Evaluating Weakly Supervised Object Localization Methods Right",
    property="coherence",
    range=(0, 1),
    needs=("truth",),
    verdict="with care",
    caution=f"{PLAUSIBLE}; and large objects score higher: two random masks of area a overlap by a / (2 - a)",
)
def mask_iou(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """IoU with the object of the highest pixels, as many as the object has, so that no threshold is chosen.

    The expected IoU over all choices among pixels that tie at the edge. Without such ties a function of
    `rank_accuracy`, r / (2 - r).
    """
    return _scores(view, candidates, lambda truth: lambda candidate: _expected_iou(candidate.values, truth))


def _scores(
    view: JudgedView,
    candidates: Sequence[Candidate],
    score: Callable[[BoolArray], Callable[[Candidate], Score]],
    covered: Callable[[BoolArray], BoolArray] = lambda truth: truth,
) -> list[Score]:
    """`score(truth)` of each map, where there is an object that can be missed. `covered`: what counts as hit."""
    truth = view.truth
    if truth is None:
        return [Undefined("nobody said where the object is")] * len(candidates)
    if not truth.any():
        return [Undefined("nothing of the object is on the view")] * len(candidates)
    if covered(truth).all():
        return [Undefined("the object fills the view: no map could miss it")] * len(candidates)
    return scores_of(candidates, score(truth))


def _of_positive(score: Callable[[DoubleArray], float]) -> Callable[[Candidate], Score]:
    """`score` of a map's values; Undefined where none is positive."""

    def scored(candidate: Candidate) -> Score:
        return score(candidate.values) if (candidate.values > 0).any() else Undefined("the map is nowhere positive")

    return scored


def _near(truth: BoolArray) -> BoolArray:
    """The object, with the border in which a pixel still counts as a hit."""
    return np.asarray(distance_transform_edt(~truth) <= TOLERANCE * min(truth.shape))


def _expected_iou(values: DoubleArray, truth: BoolArray) -> float:
    inside, count = truth.ravel(), int(truth.sum())
    above, at_edge = at_the_edge(values.ravel(), count)
    places, tied, right = count - int(above.sum()), int(at_edge.sum()), int((at_edge & inside).sum())
    hits = np.arange(max(0, places - (tied - right)), min(places, right) + 1)
    common = hits + int((above & inside).sum())
    return float(np.sum(_chances(hits, tied, right, places) * common / (2 * count - common)))


def _chances(hits: IntArray, tied: int, right: int, places: int) -> DoubleArray:
    """How likely it is that of `places` drawn from what ties so many `hits` are among the `right` ones.

    The hypergeometric law, by logarithms: thousands of pixels tie, and scipy's takes longer than all else together.
    """
    ways = _log_choose(right, hits) + _log_choose(tied - right, places - hits) - _log_choose(tied, places)
    return np.asarray(np.exp(ways))


def _log_choose(number: int, chosen: IntArray | int) -> DoubleArray:
    return np.asarray(gammaln(number + 1) - gammaln(np.add(chosen, 1)) - gammaln(np.subtract(number + 1, chosen)))
