"""Label every unit of a layer with the concept that is most like it, or say why it has no label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, blocks
from lumiscope.dissection._unit_facts import UnitFacts, describe_units
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.counter_examples import counter_examples
from lumiscope.dissection.evidence.further_labels import further_labels
from lumiscope.dissection.evidence.held_out import held_out_scores
from lumiscope.dissection.evidence.null_distribution import label_p_values
from lumiscope.dissection.evidence.options import EvidenceOptions
from lumiscope.dissection.evidence.ranking import best_concepts
from lumiscope.dissection.evidence.stability import resampled_best
from lumiscope.dissection.similarity import SIMILARITIES
from lumiscope.dissection.unit_labels import LayerLabels, UnitEvidence
from lumiscope.errors import ScorerError
from lumiscope.p_values import p_equation
from lumiscope.runs import NoLabel, Reason
from lumiscope.statistics import benjamini_hochberg
from lumiscope.types import DoubleArray, IntArray

LISTED = 5  # best concepts of each unit, which are also those that may come first in a resample

DEAD = NoLabel(Reason.DEAD, "0 on every probing image")
UNDEFINED = NoLabel(Reason.UNDEFINED, "the similarity gives no concept a finite score")


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
) -> LayerLabels:
    """Give every unit its most similar concept, if the evidence speaks for it, and all that is known of the unit.

    `activations`: (D, U) pooled activations. `concept_scores`: (D, K), finite. `similarity`: a registered name.
    `options`: what a label must pass; None: no evidence is gathered and every live unit is labelled. `seed`:
    permutations, halves and resamples derive from it, whatever the layer. `top_images`: how many of the most
    activating images to keep of each unit (all of them, where there are fewer).

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
    live_further = np.full((len(live), 0), -1)
    evidence, agreed = None, np.ones(len(best))
    if comparison is not None and options is not None:
        evidence, live_further, agreed = _gather(comparison, ranking, facts, options, seed)
    elif options is not None:
        evidence = UnitEvidence(*np.full((6, len(best)), np.nan))
    reasons = _reasons(facts, best, evidence, agreed, options)
    concept = np.where([reason is None for reason in reasons], best[:, 0], -1)
    further = np.where(concept[:, np.newaxis] >= 0, _placed(live_further, live, len(best), -1), -1)
    active_without, silent_with = counter_examples(activations, concept_scores, best[:, 0])
    return LayerLabels(
        model=model,
        layer=layer,
        concept=concept,
        reason=reasons,
        score=best_scores[:, 0],
        runner_up=best[:, 1],
        # A hair below 0 where two score alike up to rounding.
        margin=np.maximum(best_scores[:, 0] - best_scores[:, 1], 0),
        further=further,
        best=best,
        best_scores=best_scores,
        evidence=evidence,
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


def _gather(
    comparison: Comparison, ranking: _Ranking, facts: UnitFacts, options: EvidenceOptions, seed: int
) -> tuple[UnitEvidence, IntArray, DoubleArray]:
    """The evidence for each unit; further labels of the live ones, (n, m); how many resamples agree, (U,).

    A resample agrees where the best concept or a further label comes first: of two concepts that a unit responds to
    alike, chance decides which is the first.
    """
    live, num_units = facts.live, len(facts.finite)
    best = ranking.rivals[:, 0]
    p_values = label_p_values(comparison, best, facts.shape[live], draws=options.draws, seed=seed)
    q_values = benjamini_hochberg(p_values)
    winners = resampled_best(comparison, ranking.rivals, resamples=options.resamples, seed=seed)
    significant = np.where(q_values <= options.fdr, best, -1)
    further = further_labels(
        comparison.activations, comparison.concept_scores, significant, max_labels=options.max_labels, seed=seed
    )
    supported = np.column_stack([best, further])
    agreed = (winners[:, :, np.newaxis] == supported[:, np.newaxis]).any(axis=2) & (winners >= 0)
    stability = np.where(best >= 0, (winners == best[:, np.newaxis]).mean(axis=1), np.nan)
    columns = (p_values, q_values, stability, *held_out_scores(comparison, seed))
    evidence = UnitEvidence(*(_placed(column, live, num_units, np.nan) for column in columns))
    return evidence, further, _placed(agreed.mean(axis=1), live, num_units, np.nan)


def _placed(rows: NDArray[Any], where: IntArray, count: int, missing: float) -> NDArray[Any]:
    """`rows` put at `where` among `count` rows, all others `missing`."""
    placed = np.full((count, *rows.shape[1:]), missing, rows.dtype)
    placed[where] = rows
    return placed


def _reasons(
    facts: UnitFacts,
    best: IntArray,
    evidence: UnitEvidence | None,
    agreed: DoubleArray,
    options: EvidenceOptions | None,
) -> tuple[NoLabel | None, ...]:
    """Why each unit has no label; None where it has one."""
    reasons: list[NoLabel | None] = [None] * len(best)
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
        elif evidence is None or options is None:
            continue
        elif evidence.q_value[unit] > options.fdr:
            p, q = p_equation(evidence.p_value[unit], "p", ".2g"), p_equation(evidence.q_value[unit], "q", ".2g")
            reasons[unit] = NoLabel(Reason.NOT_SIGNIFICANT, f"{p}, {q}")
        elif agreed[unit] < options.min_stability:
            detail = f"first in only {100 * evidence.stability[unit]:.0f} % of resamples"
            reasons[unit] = NoLabel(Reason.UNSTABLE, detail)
    return tuple(reasons)
