"""How fast does the score fall as the things that a map calls important are truly left out of the picture?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from lumiscope.trust.candidates import Candidate, Score, Undefined, scores_of
from lumiscope.trust.curves import LEAST, Curves, too_little
from lumiscope.trust.effects import means_on_things
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.registry import trust_metric
from lumiscope.trust.ties import tie_blocks


@trust_metric(
    "abpc_removal",
    title="Area between the curves, true removal",
    citation="Samek et al. 2017, section III, on pictures that are truly made without things, as Hesse et al. 2023",
    property="correctness",
    needs=("effects",),
)
def abpc_removal(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """As `abpc`, thing by thing, in the order of the map's mean on each; no hole, no filling: 0 for a constant map."""
    effects, scores_without = view.effects, view.scores_without
    if effects is None:
        return [Undefined("true effects are known of pictures of the world alone")] * len(candidates)
    if scores_without is None:
        return [Undefined("pictures without several things cannot be made here")] * len(candidates)

    def score(names: Collection[str]) -> float:
        return float(scores_without(frozenset(names))[view.target.index])

    nothing = score(effects.names)
    fall = score(()) - nothing
    if fall < LEAST:
        return [Undefined(too_little(fall))] * len(candidates)

    def between(candidate: Candidate) -> float:
        """Shares are those of the number of things."""
        (block,), ends = tie_blocks(means_on_things(candidate.values, effects)[np.newaxis], len(effects))
        steps = range(len(ends) + 1)
        first = [[name for name, of in zip(effects.names, block, strict=True) if of < step] for step in steps]
        without = [(score(names) - nothing) / fall for names in first]
        alone = [(score(set(effects.names).difference(names)) - nothing) / fall for names in first]
        return Curves(np.append(0, ends), np.array(without), np.array(alone)).between

    return scores_of(candidates, between)
