"""How fast does the score fall as a map's pixels are hidden, most or least relevant first?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lumiscope.trust.candidates import Candidate, Score, Undefined
from lumiscope.trust.curves import Curves, curves_of
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.registry import trust_metric

HALF = "one half of the area between the curves: compact blobs and coarse maps gain where holes look natural"


@trust_metric(
    "abpc",
    title="Area between the curves",
    citation="Samek et al. 2017, Evaluating the Visualization of What a Deep Neural Network Has Learned, section III",
    property="correctness",
    range=(None, None),
    caution="pictures with holes are unlike those the network was trained on; both orders see as many of them",
    by_default=True,
    draws_curves=True,
)
def abpc(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Insertion less deletion on one substrate (ABPC): 0 for a map that knows nothing."""
    return _area(view, candidates, lambda curves: curves.between)


@trust_metric(
    "insertion",
    title="Insertion",
    citation="Petsiuk et al. 2018, RISE, section 3.2",
    property="correctness",
    verdict="with care",
    caution=HALF,
    by_default=True,
    draws_curves=True,
)
def insertion(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Area under the normalised logit as the most relevant pixels are shown first."""
    return _area(view, candidates, lambda curves: curves.insertion)


@trust_metric(
    "deletion",
    title="Deletion",
    citation="Petsiuk et al. 2018, RISE, section 3.2",
    property="correctness",
    direction="lower",
    verdict="with care",
    caution=HALF,
    by_default=True,
    draws_curves=True,
)
def deletion(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Area under the normalised logit as the most relevant pixels are hidden first."""
    return _area(view, candidates, lambda curves: curves.deletion)


def _area(view: JudgedView, candidates: Sequence[Candidate], area: Callable[[Curves], float]) -> list[Score]:
    return [curves if isinstance(curves, Undefined) else area(curves) for curves in curves_of(view, candidates)]
