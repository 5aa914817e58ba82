"""What does the model lose without a map's first superpixels, and what does it lack with them alone?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lumiscope.trust.candidates import Candidate, Score, Undefined, scores_of
from lumiscope.trust.curves import LEAST, too_little
from lumiscope.trust.judged_view import JudgedView, region_sums
from lumiscope.trust.registry import trust_metric
from lumiscope.trust.ties import at_the_edge
from lumiscope.types import BoolArray, DoubleArray

CITATION = "DeYoung et al. 2020, ERASER, equations 1 and 2, and section 4 for the shares"
SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)  # of the superpixels; at least one
CAUTION = "one half of what can be said: a part may be needed and not enough, or enough and not needed"


@trust_metric(
    "comprehensiveness",
    title="Comprehensiveness",
    citation=CITATION,
    property="correctness",
    null="constant",
    verdict="with care",
    caution=CAUTION,
)
def comprehensiveness(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """How far the logit falls without the map's first superpixels: 1 as where everything is hidden; mean over shares.

    DeYoung et al. take probabilities of words removed; here it is the logit, as a share of its fall where all is
    hidden, so that views compare.
    """
    return _falls(view, candidates, alone=False)


@trust_metric(
    "sufficiency",
    title="Sufficiency",
    citation=CITATION,
    property="correctness",
    direction="lower",
    null="constant",
    verdict="with care",
    caution=CAUTION,
)
def sufficiency(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """How far the logit falls where the map's first superpixels alone are shown; as `comprehensiveness`."""
    return _falls(view, candidates, alone=True)


def _falls(view: JudgedView, candidates: Sequence[Candidate], *, alone: bool) -> list[Score]:
    """The mean over shares of how far the score falls. `alone`: with the first superpixels alone; else without them."""
    fall = view.whole - view.nothing()
    if fall < LEAST:
        return [Undefined(too_little(fall))] * len(candidates)

    plans = [_first_superpixels(candidate, view) for candidate in candidates if not candidate.blank]
    first = np.concatenate([sets for sets, _ in plans]) if plans else np.zeros((0, 0), np.bool_)
    shown = first if alone else ~first
    scores = view.scores(lambda start, stop: shown[start:stop, view.superpixels], len(shown)) if plans else np.zeros(0)
    parts = iter(np.split((view.whole - scores) / fall, np.cumsum([len(sets) for sets, _ in plans])))
    weights = iter([weights for _, weights in plans])
    return scores_of(candidates, lambda candidate: float(next(weights) @ next(parts)))


def _first_superpixels(candidate: Candidate, view: JudgedView) -> tuple[BoolArray, DoubleArray]:
    """(n, superpixels) sets of superpixels of the highest sums, and (n,) their weights, whose sum is 1.

    Where sums tie at a share's end, whole blocks: the set without what ties and that with all of it, in proportion to
    how near their sizes are, as the curves between two blocks.
    """
    sums = region_sums(candidate.values, view.superpixels)
    weights: dict[bytes, float] = {}
    for share in SHARES:
        count = max(round(share * len(sums)), 1)
        above, at_edge = at_the_edge(sums, count)
        reached = above | at_edge
        part = (count - above.sum()) / (reached.sum() - above.sum())
        for chosen, weight in ((above, 1 - part), (reached, part)):
            if weight > 0:
                weights[chosen.tobytes()] = weights.get(chosen.tobytes(), 0) + weight / len(SHARES)
    sets = np.stack([np.frombuffer(chosen, np.bool_) for chosen in weights])
    return sets, np.array(list(weights.values()))
