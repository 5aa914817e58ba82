"""Do the sums of a map over many parts of a view follow how far hiding these parts together lowers the score?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lumiscope.trust.candidates import Candidate, Score, Undefined, scores_of
from lumiscope.trust.judged_view import JudgedView, region_sums
from lumiscope.trust.registry import trust_metric
from lumiscope.trust.ties import orders
from lumiscope.types import BoolArray, DoubleArray

SIZES = 6  # how many superpixels are hidden together: so many different numbers, at equal ratios
MOST = 0.8  # of the superpixels are hidden at most
SUBSETS = 30  # of each size
ROUNDING = 1e-9  # of sums that are the same


@trust_metric(
    "sensitivity_n",
    title="Sensitivity-n of superpixels",
    citation="Ancona et al. 2018, Towards better understanding of gradient-based attribution methods, section 4.2",
    property="completeness",
    range=(-1, 1),
    null="constant",
    caution="a map is taken for a sum of effects; with many parts hidden, pictures are unlike those of the training",
    by_default=True,
)
def sensitivity_n(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Correlation of the map's sum in random sets of superpixels with the logit's drop without them; mean over sizes.

    1 for a map whose sums are the drops, whatever is hidden. Ancona et al. hide pixels; the sets of all maps of a view
    are the same, and the view's mean colour hides them. 0 where all sums are the same; sizes at which hiding changes
    nothing are left out.
    """
    subsets, drops = view.shared("sensitivity_n", lambda: _subsets_and_drops(view))
    sizes = [size for size in range(len(drops)) if orders(drops[size])]
    if not sizes:
        return [Undefined("hiding superpixels together never changes the score, or there are fewer than 3")] * len(
            candidates
        )

    def score(candidate: Candidate) -> float:
        sums = subsets @ region_sums(candidate.values, view.superpixels)
        return float(np.mean([_correlation(sums[size], drops[size]) for size in sizes]))

    return scores_of(candidates, score)


def subsets_of(count: int, seed: int) -> BoolArray:
    """(sizes, 30, count) which of the superpixels are hidden: of at most 6 sizes, from 1 to 80 % of them."""
    random = np.random.default_rng(seed)
    sizes = np.unique(np.rint(np.geomspace(1, max(MOST * count, 1), SIZES)))
    places = random.random((len(sizes), SUBSETS, count)).argsort(axis=2).argsort(axis=2)
    return np.asarray(places < sizes[:, np.newaxis, np.newaxis])


def _subsets_and_drops(view: JudgedView) -> tuple[BoolArray, DoubleArray]:
    """The subsets, and (sizes, 30) by how much hiding each lowers the score; none of fewer than 3 superpixels."""
    count = int(view.superpixels.max()) + 1
    if count < 3:
        return np.zeros((0, SUBSETS, count), np.bool_), np.zeros((0, SUBSETS))
    subsets = subsets_of(count, view.seed)
    each = subsets.reshape(-1, count)
    scores = view.scores(lambda start, stop: ~each[start:stop, view.superpixels], len(each))
    return subsets, (view.whole - scores).reshape(subsets.shape[:2])


def _correlation(said: DoubleArray, drops: DoubleArray) -> float:
    """Pearson's; 0 where everything said is the same."""
    return float(np.corrcoef(said, drops)[0, 1]) if np.ptp(said) > ROUNDING * np.abs(said).max() else 0.0
