"""What a model still says as a view is hidden bit by bit: most relevant first, and least relevant first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.trust.candidates import Candidate, Undefined
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.ties import tie_blocks
from lumiscope.types import BoolArray, DoubleArray, IntArray

STEPS = 32  # of a curve at most; fewer where a map has fewer levels
LEAST = 0.1  # logits by which hiding everything must lower the score, that anything can be said of parts


@dataclass(frozen=True)
class Curves:
    """Scores of one map, 1 for the whole view and 0 where everything is hidden.

    `shares`: (s,) of the pixels, the most relevant ones, from 0 to 1. `without`: (s,) scores where these are hidden;
    `alone`: (s,) where all others are.
    """

    shares: DoubleArray
    without: DoubleArray
    alone: DoubleArray

    @property
    def deletion(self) -> float:
        """The area under the curve as the most relevant is hidden first: low is good."""
        return float(np.trapezoid(self.without, self.shares))

    @property
    def insertion(self) -> float:
        """The area under the curve as the most relevant is shown first (the least hidden last): high is good."""
        return float(np.trapezoid(self.alone, self.shares))

    @property
    def between(self) -> float:
        """The area between the curves: insertion less deletion. 0 for a map that knows nothing."""
        return self.insertion - self.deletion


def too_little(fall: float) -> str:
    """Why nothing can be said of parts where hiding everything lowers the score by `fall`."""
    return f"hiding everything changes the score by {-fall:+.2g}, and must lower it by {LEAST}"


def curves_of(
    view: JudgedView, candidates: Sequence[Candidate], substrate: str = "mean", steps: int = STEPS
) -> list[Curves | Undefined]:
    """Both curves of each map, on one substrate, normalised to both ends.

    Whole blocks of ties are hidden (`tie_blocks`), the curve is linear between. The masks of all maps go through the
    model together; a map that was asked for before is not asked for again. Undefined where hiding everything lowers the
    logit by less than 0.1.
    Source: Petsiuk et al. 2018, RISE, section 3.2; both orders on one substrate: Samek et al. 2017, section III.
    """
    fall = view.whole - view.nothing(substrate)
    if fall < LEAST:
        return [Undefined(too_little(fall))] * len(candidates)
    known: dict[bytes, Curves] = view.shared(("curves", substrate, steps), dict)
    new = {c.values.tobytes(): c.values for c in candidates if not c.blank and c.values.tobytes() not in known}
    plans = [tie_blocks(values, steps) for values in new.values()]
    scores = (_scores(view, plans, substrate) - view.nothing(substrate)) / fall
    for key, (_, ends) in zip(new, plans, strict=True):
        (without, alone), scores = np.split(scores[: 2 * (len(ends) - 1)], 2), scores[2 * (len(ends) - 1) :]
        known[key] = Curves(np.append(0, ends), np.array([1, *without, 0]), np.array([0, *alone, 1]))
    return [Undefined(c.blank) if c.blank else known[c.values.tobytes()] for c in candidates]


def _scores(view: JudgedView, plans: Sequence[tuple[IntArray, DoubleArray]], substrate: str) -> DoubleArray:
    """Of each plan, as `tie_blocks` makes them, the scores without its first blocks, then those with these alone."""
    steps = [(block, step, alone) for block, ends in plans for alone in (False, True) for step in range(len(ends) - 1)]

    def shown(start: int, stop: int) -> BoolArray:
        return np.stack([(block <= step) == alone for block, step, alone in steps[start:stop]])

    return view.scores(shown, len(steps), substrate) if steps else np.zeros(0)
