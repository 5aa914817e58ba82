"""Does a map order the things in a picture as leaving each of them out really does?"""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.trust.candidates import Candidate, Score, Undefined, scores_of
from lumiscope.trust.effects import effect_correlation
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.registry import trust_metric
from lumiscope.trust.ties import orders


@trust_metric(
    "true_effects",
    title="True effects",
    citation="after Hesse et al. 2023, FunnyBirds, equation 4",
    property="correctness",
    range=(-1, 1),
    needs=("effects",),
    by_default=True,
)
def true_effects(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """Rank correlation of the map's mean on each thing with what the logit loses where the picture is made without it.

    No hole, no filling: both pictures are as the network knows them. Known in the built-in world alone.
    """
    effects = view.effects
    if effects is None:
        return [Undefined("true effects are known of pictures of the world alone")] * len(candidates)
    if not orders(effects.drops):
        return [Undefined("nothing in the picture changes the score when it is left out")] * len(candidates)
    return scores_of(candidates, lambda candidate: effect_correlation(candidate.values, effects))
