"""Does a map order the parts of a view as hiding each of them alone does?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lumiscope.trust.candidates import Candidate, Score, Undefined, scores_of
from lumiscope.trust.judged_view import JudgedView, region_means, region_sums
from lumiscope.trust.registry import trust_metric
from lumiscope.trust.ties import expected_rank_correlation, orders
from lumiscope.types import DoubleArray, IntArray

CITATION = "Hesse et al. 2024, Benchmarking the Attribution Quality of Vision Models, section 3.1"
CAUTION = "sees what one part does alone: of two things that would each be enough, neither does anything"


@trust_metric(
    "single_deletion_4",
    title="Single deletion in 4 × 4 cells",
    citation=CITATION,
    property="correctness",
    range=(-1, 1),
    caution=CAUTION,
)
def single_deletion_4(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Rank correlation of the map's signed means in 4 x 4 cells with how far hiding each cell lowers the logit."""
    return _ordered_as_effects(view, candidates, view.cells(4), region_means)


@trust_metric(
    "single_deletion_7",
    title="Single deletion in 7 × 7 cells",
    citation=CITATION,
    property="correctness",
    range=(-1, 1),
    caution=CAUTION,
    by_default=True,
)
def single_deletion_7(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Rank correlation of the map's signed means in 7 x 7 cells with how far hiding each cell lowers the logit."""
    return _ordered_as_effects(view, candidates, view.cells(7), region_means)


@trust_metric(
    "single_deletion_segments",
    title="Single deletion of superpixels",
    citation=CITATION,
    property="correctness",
    range=(-1, 1),
    null="constant",
    verdict="with care",
    caution="sums grow with a superpixel's area, as what hiding it does; " + CAUTION,
)
def single_deletion_segments(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Rank correlation of the map's signed sums in about 50 superpixels with how far hiding each lowers the logit."""
    return _ordered_as_effects(view, candidates, view.superpixels, region_sums)


def _ordered_as_effects(
    view: JudgedView,
    candidates: Sequence[Candidate],
    regions: IntArray,
    said: Callable[[DoubleArray, IntArray], DoubleArray],
) -> list[Score]:
    """Source: SDS of Hesse et al. 2024, with the view's mean colour for the hidden part; ties by their expected value.

    One pass a part serves all maps. `said`: what a map says of each part. Of cells the mean, which orders equal cells
    as their sums do, and does not take a cell of one more row for a more important one; of superpixels the sum.
    """
    drops = view.drops(regions)
    if not orders(drops):
        return [Undefined("no part of the view changes the score when it alone is hidden")] * len(candidates)
    return scores_of(candidates, lambda candidate: expected_rank_correlation(said(candidate.values, regions), drops))
