"""How fast does the score fall as a map's pixels are hidden, most or least relevant first?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lumiscope.trust.candidates import Candidate, Score, Undefined
from lumiscope.trust.curves import STEPS, Curves, curves_of
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.registry import trust_metric
from lumiscope.trust.substrates import ROAD, ZEROS

BETWEEN = "Samek et al. 2017, Evaluating the Visualization of What a Deep Neural Network Has Learned, section III"
ROAD_STEPS = 10
HALF = "one half of the area between the curves: compact blobs and coarse maps gain where holes look natural"


@trust_metric(
    "abpc",
    title="Area between the curves",
    citation=BETWEEN,
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


@trust_metric(
    "abpc_blur",
    title="Area between the curves, blurred",
    citation=BETWEEN,
    property="correctness",
    caution="what is hidden can still be made out: maps of fine detail are put at a disadvantage",
)
def abpc_blur(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """As `abpc`, with the view blurred where it is hidden."""
    return _area(view, candidates, lambda curves: curves.between, "blur")


@trust_metric(
    "abpc_grey",
    title="Area between the curves, grey",
    citation=BETWEEN,
    property="correctness",
    caution="grey holes are unlike anything the network was trained on; both orders see as many of them",
)
def abpc_grey(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """As `abpc`, with middle grey where the view is hidden."""
    return _area(view, candidates, lambda curves: curves.between, "grey")


@trust_metric(
    "abpc_zeros",
    title="Area between the curves, zeros",
    citation=BETWEEN,
    property="correctness",
    caution="zeros are one colour for all pictures, the network's mean: on such a colour little is hidden",
)
def abpc_zeros(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """As `abpc`, with 0 as the network is fed it where the view is hidden: the mean of its normalisation."""
    return _area(view, candidates, lambda curves: curves.between, ZEROS)


@trust_metric(
    "road",
    title="ROAD",
    citation="Rong et al. 2022, A Consistent and Efficient Evaluation Strategy for Attribution Methods, section 4",
    property="correctness",
    caution="what is filled in is smooth, so that the shape of a hole still shows a little",
)
def road(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """As `abpc`, in at most 10 steps, with what is hidden filled from what is shown: 0 for a map that knows nothing.

    Rong et al. count right answers at each share; here it is the logit, so that one view has a score, and the area
    between both orders, least and most relevant first, so that one number does.
    """
    return _area(view, candidates, lambda curves: curves.between, ROAD, ROAD_STEPS)


def _area(
    view: JudgedView,
    candidates: Sequence[Candidate],
    area: Callable[[Curves], float],
    substrate: str = "mean",
    steps: int = STEPS,
) -> list[Score]:
    curves_of_maps = curves_of(view, candidates, substrate, steps)
    return [curves if isinstance(curves, Undefined) else area(curves) for curves in curves_of_maps]
