"""Do the things that a map calls important carry the answer? Checked on pictures that are truly made without things."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lumiscope.trust.bam import lift
from lumiscope.trust.candidates import Candidate, Score, Undefined, scores_of
from lumiscope.trust.effects import TrueEffects, means_on_things
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.registry import trust_metric
from lumiscope.types import BoolArray

CITATION = "after Hesse et al. 2023, FunnyBirds"
MATTERS = 0.05  # of the largest true effect: less is none
IMPORTANT = 1.5  # times as much of a map's positive values as of the view; half of the view can still have that
THRESHOLD = "whether a thing is important is decided at one threshold, and a picture counts as 1 or 0"


@trust_metric(
    "deletion_check",
    title="Deletion check",
    citation=CITATION,
    property="completeness",
    range=(0, 1),
    needs=("effects",),
    verdict="with care",
    caution=f"{THRESHOLD}; a map that calls everything important passes: beside the preservation check",
)
def deletion_check(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """1 where the answer changes in the picture without all things that the map calls important, else 0."""
    return _checked(view, candidates, lambda important: important, changes=True)


@trust_metric(
    "preservation_check",
    title="Preservation check",
    citation=CITATION,
    property="completeness",
    range=(0, 1),
    needs=("effects",),
    verdict="with care",
    caution=f"{THRESHOLD}; a map that calls everything important passes: beside the deletion check",
)
def preservation_check(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """1 where the answer stays in the picture without all things that the map does not call important, else 0."""
    return _checked(view, candidates, lambda important: ~important, changes=False)


@trust_metric(
    "contrast",
    title="For and against",
    citation="after the target sensitivity of Hesse et al. 2023, FunnyBirds",
    property="contrastivity",
    range=(0, 1),
    needs=("effects",),
    verdict="with care",
    caution="only pictures in which something speaks against the class can tell",
)
def contrast(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """How often the map says more of a thing that speaks for the class than of one that speaks against it.

    Of all such pairs of things, a tie counting a half: a half for a map that knows nothing. A thing speaks for or
    against where its true effect is more than 5 % of the largest one, the share at which FunnyBirds calls a part
    relevant. FunnyBirds asks for the maps of two classes; the true effects tell with one what speaks for another class.
    """
    effects = view.effects
    if effects is None:
        return _unknown(candidates)
    least = MATTERS * float(np.abs(effects.drops).max(initial=0))
    speaks_for, speaks_against = effects.drops > least, effects.drops < -least
    if not speaks_for.any() or not speaks_against.any():
        return [Undefined("nothing in the picture speaks against the class, or nothing for it")] * len(candidates)

    def score(candidate: Candidate) -> Score:
        said = means_on_things(candidate.values, effects)
        differences = said[speaks_for][:, np.newaxis] - said[speaks_against]
        return float((np.sign(differences) + 1).mean() / 2)

    return scores_of(candidates, score)


def _checked(
    view: JudgedView, candidates: Sequence[Candidate], left_out: Callable[[BoolArray], BoolArray], *, changes: bool
) -> list[Score]:
    """Whether the answer `changes`, or stays, without the things that `left_out` chooses by which are important.

    The same picture is made once for all maps and both checks. FunnyBirds takes the best of 80 thresholds on the test
    data; here the threshold is given, see `important_things`.
    """
    effects = view.effects
    if effects is None:
        return _unknown(candidates)
    scores_without = view.scores_without
    if scores_without is None:
        return [Undefined("pictures without several things cannot be made here")] * len(candidates)

    def keeps_answer(names: frozenset[str]) -> bool:
        return bool(scores_without(names).argmax() == view.target.index)

    if not keeps_answer(frozenset()):
        return [Undefined("the class is not the model's answer")] * len(candidates)

    def score(candidate: Candidate) -> Score:
        chosen = left_out(important_things(candidate, effects))
        names = frozenset(name for name, out in zip(effects.names, chosen, strict=True) if out)
        return float(keeps_answer(names) != changes)

    return scores_of(candidates, score)


def important_things(candidate: Candidate, effects: TrueEffects) -> BoolArray:
    """(n,) whether each thing has at least 1.5 times the share of the map's positive values that it has of the view."""
    return np.array([lift(candidate.values, region) >= IMPORTANT for region in effects.regions], np.bool_)


def _unknown(candidates: Sequence[Candidate]) -> list[Score]:
    return [Undefined("true effects are known of pictures of the world alone")] * len(candidates)
