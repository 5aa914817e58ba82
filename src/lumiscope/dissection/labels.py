"""Label every unit of a layer with the concept that is most like it, or say why it has no label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.dissection._gathering import Gathered, gather, nothing_gathered, spread
from lumiscope.dissection._selection import Selection, blocks
from lumiscope.dissection._unit_facts import UnitFacts, describe_units
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.counter_examples import counter_examples
from lumiscope.dissection.evidence.image_groups import KnownImages
from lumiscope.dissection.evidence.options import EvidenceOptions
from lumiscope.dissection.evidence.ranking import best_concepts
from lumiscope.dissection.evidence.unit_clusters import unit_clusters
from lumiscope.dissection.similarity import SIMILARITIES
from lumiscope.dissection.unit_labels import LayerLabels
from lumiscope.errors import ScorerError
from lumiscope.p_values import p_equation
from lumiscope.runs import NoLabel, Reason
from lumiscope.types import DoubleArray, IntArray

LISTED = 5  # best concepts of each unit

DEAD = NoLabel(Reason.DEAD, "0 on every probing image")
UNDEFINED = NoLabel(Reason.UNDEFINED, "the similarity gives no concept a finite score")
UNTOLD = NoLabel(
    Reason.NOT_SIGNIFICANT,
    "nothing can be shown: neighbours in the list of images are alike over so long that fewer than 6 blocks of them "
    "are left to change places",
)
UNVARIED = NoLabel(Reason.UNDEFINED, "no concept has a finite score on the images that choose labels")


@dataclass(frozen=True)
class _Ranking:
    """Concepts of n live units, best first, (n, 5); -1 and NaN for none."""

    rivals: IntArray
    scores: DoubleArray


def label_units(
    activations: Columns,
    concept_scores: Columns,
    *,
    model: str,
    layer: str,
    similarity: str,
    options: EvidenceOptions | None = EvidenceOptions(),  # noqa: B008 - frozen
    seed: int = 0,
    top_images: int = 10,
    images: KnownImages = KnownImages(),  # noqa: B008 - frozen
) -> LayerLabels:
    """Give every unit its most similar concept, if the evidence speaks for it, and all that is known of the unit.

    Two thirds of the images choose the label and test it; the others estimate its held-out correlation and the set of
    concepts that could be the best. Most similar concepts, score and margin are of all images, and so is the label
    where nothing is tested (`fdr` 1).

    `activations`: (D, U) pooled activations. `concept_scores`: (D, K), finite. `similarity`: a registered name.
    `options`: what a label must pass; None: no evidence is gathered and every live unit is labelled. `seed`:
    permutations, parts and resamples derive from it, whatever the layer. `top_images`: how many of the most
    activating images to keep of each unit (all of them, where there are fewer). `images`: what is known of
    them beforehand. Images that are copies of others are found in any case, and count as one.

    A unit without a label has concept -1 and a reason (see `Reason`); one that is not significant or unstable keeps its
    best concepts, score and margin. Dead, constant and non-finite units are left out of the similarity, so they
    change nobody's score: the average over units in WPMI and soft WPMI runs over the live units only. (CLIP-Dissect
    labels dead units and averages over them; on a layer without such units the two agree.)

    Concepts whose scores differ by no more than rounding go by their index; those whose scores are at the ceiling of
    soft WPMI by their odds against the layer's other units. Where no second concept has a finite score, as with
    K = 1, the runner-up is -1 and the margin NaN.
    Raises UnknownNameError, and ScorerError for scores that are not finite or do not fit.
    """
    method = SIMILARITIES[similarity]
    _check(activations, concept_scores)
    facts = describe_units(activations, top_images)
    live = facts.live
    units = Selection(activations, columns=live)
    comparison = Comparison.make(method, units, concept_scores) if live.size else None
    ranking = _rank(comparison)
    best = _placed(ranking.rivals, live, len(facts.finite), -1)
    best_scores = _placed(ranking.scores, live, len(best), np.nan)
    gathered = nothing_gathered(len(best), len(activations))
    if live.size and options is not None:
        gathered = gather(
            method, units, concept_scores, ranking.rivals[:, 0], images=images, options=options, seed=seed
        )
        gathered = spread(gathered, live, len(best))
    tested = options is not None and options.fdr < 1
    candidate = gathered.concept if tested else best[:, 0]
    reasons = _reasons(facts, best, candidate, gathered, options)
    labelled = np.array([reason is None for reason in reasons], np.bool_)
    concept = np.where(labelled, candidate, -1)
    chosen = labelled & (gathered.concept == concept)
    active_without, silent_with = counter_examples(activations, concept_scores, np.where(labelled, concept, best[:, 0]))
    return LayerLabels(
        model=model,
        layer=layer,
        concept=concept,
        reason=reasons,
        score=best_scores[:, 0],
        runner_up=best[:, 1],
        # A hair below 0 where two score alike up to rounding.
        margin=np.maximum(best_scores[:, 0] - best_scores[:, 1], 0),
        further=np.where(labelled[:, np.newaxis], gathered.further, -1),
        best=best,
        best_scores=best_scores,
        evidence=None if options is None else gathered.evidence,
        label_set=np.where(chosen[:, np.newaxis], gathered.label_set, -1),
        label_set_size=np.where(chosen, gathered.label_set_size, -1),
        cluster=unit_clusters(activations, live, concept),
        groups=gathered.groups,
        blocks=gathered.blocks,
        clustered=np.array(gathered.clustered),
        top_images=facts.top_images,
        top_activations=facts.top_activations,
        active_without=active_without,
        silent_with=silent_with,
        histogram=facts.histogram,
        span=facts.span,
    )


def _check(activations: Columns, concept_scores: Columns) -> None:
    if len(activations) != len(concept_scores):
        raise ScorerError(
            "activations must be (images, units) and concept scores (images, concepts) of the same images; "
            f"got {activations.shape} and {concept_scores.shape}"
        )
    for where in blocks(concept_scores):
        finite = np.isfinite(concept_scores[:, where])
        if not finite.all():
            image, concept = np.argwhere(~finite)[0]
            raise ScorerError(f"concept scores must be finite; image {image}, concept {concept + where.start} is not")


def _rank(comparison: Comparison | None) -> _Ranking:
    """Order the concepts for each unit of the comparison; no rows without one."""
    num_units = 0 if comparison is None else len(comparison.unitwise)
    ranking = _Ranking(np.full((num_units, LISTED), -1), np.full((num_units, LISTED), np.nan))
    if comparison is None:
        return ranking
    average = comparison.method.layer_average(comparison.unitwise)
    for where, statistic in comparison.statistics():
        rivals = best_concepts(statistic, LISTED)
        scores = comparison.method.contrasted(comparison.unitwise[where], average)
        ranking.rivals[where] = rivals
        ranking.scores[where] = np.where(rivals >= 0, np.take_along_axis(scores, rivals, axis=1), np.nan)
    return ranking


def _placed(rows: NDArray[Any], where: IntArray, count: int, missing: float) -> NDArray[Any]:
    """`rows` put at `where` among `count` rows, all others `missing`."""
    placed = np.full((count, *rows.shape[1:]), missing, rows.dtype)
    placed[where] = rows
    return placed


def _reasons(
    facts: UnitFacts,
    best: IntArray,
    candidate: IntArray,
    gathered: Gathered,
    options: EvidenceOptions | None,
) -> tuple[NoLabel | None, ...]:
    """Why each unit has no label; None where it has one."""
    reasons: list[NoLabel | None] = [None] * len(best)
    evidence = gathered.evidence
    for unit in range(len(best)):
        if not facts.finite[unit]:
            count, first = facts.not_finite[unit], facts.first_not_finite[unit]
            images = "1 probing image" if count == 1 else f"{count} probing images"
            detail = f"NaN or infinite on {images}, first on number {first} (from 0)"
            reasons[unit] = NoLabel(Reason.NOT_FINITE, detail)
        elif facts.constant[unit]:
            value = facts.span[unit, 0]
            reasons[unit] = NoLabel(Reason.CONSTANT, f"{value:.4g} on every probing image") if value else DEAD
        elif best[unit, 0] < 0:
            reasons[unit] = UNDEFINED
        elif options is None:
            continue
        elif candidate[unit] < 0:
            reasons[unit] = UNVARIED
        elif evidence.q_value[unit] > options.fdr and gathered.untold[unit]:
            reasons[unit] = UNTOLD
        elif evidence.q_value[unit] > options.fdr:
            p, q = p_equation(evidence.p_value[unit], "p", ".2g"), p_equation(evidence.q_value[unit], "q", ".2g")
            reasons[unit] = NoLabel(Reason.NOT_SIGNIFICANT, f"{p}, {q}")
        elif gathered.agreed[unit] < options.min_stability:
            detail = f"first in only {100 * evidence.stability[unit]:.0f} % of resamples"
            reasons[unit] = NoLabel(Reason.UNSTABLE, detail)
    return tuple(reasons)
