"""Does a map stay the same where hardly anything changed: the view a little, or the seed alone?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from lumiscope.agreement import cell_means
from lumiscope.statistics import mean_of_known
from lumiscope.trust.candidates import Candidate, Explainer, Score, Undefined, scores_of
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.nearby import nearby_views
from lumiscope.trust.registry import trust_metric
from lumiscope.trust.ties import likeness
from lumiscope.types import BoolArray, DoubleArray

SENSITIVITY = "Yeh et al. 2019, On the (In)fidelity and Sensitivity of Explanations, definition 3"
CONSTANT = "a map that is the same for every view is perfectly stable: it counts beside a faithfulness number alone"
SEEDS = 2  # further ones
NEGLIGIBLE = 1e-6  # of a map's length beside that of views nearby: it is 0 up to rounding
LEAST = 1e-6  # by which the scores must change, as a share: below is rounding


@trust_metric(
    "max_sensitivity",
    title="Largest sensitivity",
    citation=SENSITIVITY,
    property="continuity",
    direction="lower",
    range=(0, None),
    needs=("explainer",),
    null="constant",
    verdict="misleading alone",
    caution=f"{CONSTANT}; and the largest of 10 draws grows with their number",
)
def max_sensitivity(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """The largest relative change of the map, ‖e(x + z) − e(x)‖ / ‖e(x)‖, of 10 draws of z; see `nearby_views`."""
    return _over_changes(view, candidates, lambda changes: float(changes.max()))


@trust_metric(
    "mean_sensitivity",
    title="Mean sensitivity",
    citation=SENSITIVITY,
    property="continuity",
    direction="lower",
    range=(0, None),
    needs=("explainer",),
    null="constant",
    verdict="misleading alone",
    caution=CONSTANT,
    by_default=True,
)
def mean_sensitivity(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """The mean of the same changes, which does not grow with the number of draws."""
    return _over_changes(view, candidates, lambda changes: float(changes.mean()))


@trust_metric(
    "relative_output_stability",
    title="Relative output stability",
    citation="Agarwal et al. 2022, Rethinking Stability for Attribution-based Explanations, equation 5",
    property="continuity",
    direction="lower",
    range=(0, None),
    needs=("explainer",),
    null="constant",
    verdict="with care",
    caution=CONSTANT,
    by_default=True,
)
def relative_output_stability(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """The largest relative change of the map per relative change of the logits, among views of the same prediction.

    Source: equation 5, with ratios of lengths, (‖e(x + z) − e(x)‖ / ‖e(x)‖) / (‖h(x + z) − h(x)‖ / ‖h(x)‖), in the
    place of the length of element-wise ratios: these have no bound where a pixel of the map is 0, as most of a CAM are.
    """
    moved, kept = _changes_of_scores(view)
    useful = kept & (moved > LEAST)
    if not useful.any():
        why = "no view nearby changes the scores" if kept.any() else "every view nearby is predicted differently"
        return [Undefined(why)] * len(candidates)
    return _over_changes(view, candidates, lambda changes: float((changes[useful] / moved[useful]).max()))


@trust_metric(
    "seed_stability",
    title="Stability over seeds",
    citation="after Visani et al. 2022, Statistical Stability Indices for LIME",
    property="consistency",
    range=(-1, 1),
    needs=("explainer",),
    verdict="with care",
    caution="a map that is wrong under every seed is stable: it counts beside a faithfulness number alone",
    by_default=True,
)
def seed_stability(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Mean rank correlation, on 14 x 14 cells, of the maps of this view under three seeds, over all pairs of them."""

    def score(candidate: Candidate) -> Score:
        if candidate.reseeded is None:
            if candidate.explainer is None:
                return Undefined("only the map is known, not what makes it")
            return Undefined("1 by construction: the method draws nothing")
        reseeded = candidate.reseeded
        maps = [candidate.values, *(reseeded(number) for number in range(1, SEEDS + 1))]
        cells = [cell_means(values) for values in maps]
        stable = mean_of_known([likeness(a, b) for a, b in itertools.combinations(cells, 2)])
        return Undefined("the map is the same everywhere under every seed") if np.isnan(stable) else stable

    return scores_of(candidates, score)


def _over_changes(
    view: JudgedView, candidates: Sequence[Candidate], measure: Callable[[DoubleArray], float]
) -> list[Score]:
    """What `measure` makes of each map's relative changes in the views nearby, (n,)."""

    def score(candidate: Candidate) -> Score:
        if candidate.explainer is None:
            return Undefined("only the map is known, not what makes it")
        nearby = _explained_nearby(view, candidate.explainer)
        if not np.isfinite(nearby).all():
            return Undefined("the map of a view nearby is undefined")
        length = float(np.linalg.norm(candidate.values))
        if length <= NEGLIGIBLE * float(np.linalg.norm(nearby, axis=(1, 2)).max()):
            return Undefined("the map is 0 everywhere")
        return measure(np.linalg.norm(nearby - candidate.values, axis=(1, 2)) / length)

    return scores_of(candidates, score)


def _explained_nearby(view: JudgedView, explainer: Explainer) -> DoubleArray:
    """(n, H, W) the maps of the views nearby: one batch of a method, once for all metrics."""
    return view.shared(("maps nearby", explainer), lambda: np.stack(explainer(list(nearby_views(view)))))


def _changes_of_scores(view: JudgedView) -> tuple[DoubleArray, BoolArray]:
    """(n,) the relative change of the logits in each view nearby, and (n,) bool whether the prediction is the same."""

    def make() -> tuple[DoubleArray, BoolArray]:
        views = [view.view, *map(view.view.fed_with, nearby_views(view))]
        logits = view.prepared.model.predict(views).astype(np.float64)
        moved = np.linalg.norm(logits[1:] - logits[0], axis=1) / max(float(np.linalg.norm(logits[0])), LEAST)
        return moved, logits[1:].argmax(axis=1) == logits[0].argmax()

    return view.shared("changes of scores nearby", make)
