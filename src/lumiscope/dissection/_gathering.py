"""All evidence for the labels of a layer: some images choose and test them, the others estimate what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, slices
from lumiscope.dissection._unit_facts import describe_units
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.copies import with_copies
from lumiscope.dissection.evidence.further_labels import further_labels
from lumiscope.dissection.evidence.held_out import held_out_scores, parts
from lumiscope.dissection.evidence.image_clusters import come_in_clusters
from lumiscope.dissection.evidence.image_groups import ImageGroups, KnownImages
from lumiscope.dissection.evidence.label_sets import label_sets
from lumiscope.dissection.evidence.neighbours import neighbour_blocks, untold
from lumiscope.dissection.evidence.null_distribution import label_p_values
from lumiscope.dissection.evidence.options import EvidenceOptions
from lumiscope.dissection.evidence.ranking import best_concepts
from lumiscope.dissection.evidence.stability import resampled_best
from lumiscope.dissection.similarity import SimilarityMethod
from lumiscope.dissection.unit_labels import UnitEvidence
from lumiscope.statistics import benjamini_hochberg
from lumiscope.types import BoolArray, DoubleArray, IntArray

RIVALS = 5  # best concepts of each unit, which are those that may come first in a resample


@dataclass(frozen=True)
class Gathered:
    """Evidence for n live units, all arrays of n rows.

    `concept`: the best concept on the images that choose, -1: none. `evidence`: see there. `agreed`: the share of
    resamples in which it or a further label comes first. `further`: (n, m). `label_set`: (n, 20) and
    `label_set_size`: see `label_sets`. `groups`: (D,) which images count as one. `blocks`: how many neighbours keep
    together; `untold`: whether that leaves too few blocks of them to show anything. `clustered`: whether
    images come in clusters, see `come_in_clusters`, that neither a group nor an order tells.
    """

    concept: IntArray
    evidence: UnitEvidence
    agreed: DoubleArray
    further: IntArray
    label_set: IntArray
    label_set_size: IntArray
    groups: IntArray
    blocks: IntArray
    untold: BoolArray
    clustered: bool


def gather(
    method: SimilarityMethod,
    activations: Columns,
    concept_scores: Columns,
    best: IntArray,
    *,
    images: KnownImages,
    options: EvidenceOptions,
    seed: int,
) -> Gathered:
    """Gather the evidence for live units. `activations`: (D, n), `concept_scores`: (D, K), `best`: (n,) on all images.

    `images`: what is known of them; copies are found here. A unit that is the same on all images that choose has no
    concept. Of concepts that are the same on all images that choose, such as a thing and a part that it always shows,
    the best one is that of all images.
    A resample agrees where the best concept or a further label comes first: of two concepts that a unit responds to
    alike, chance decides which is the first.
    """
    num_units = activations.shape[1]
    groups = with_copies(images.known(len(activations)), activations, concept_scores, seed)
    block = neighbour_blocks(activations, groups, images, seed)
    selection, estimation = parts(groups, seed, int(np.median(block)))
    facts = describe_units(Selection(activations, selection), 1)
    varied = facts.live
    chosen = _choose(
        method,
        Selection(activations, selection, varied),
        Selection(concept_scores, selection),
        best[varied],
        groups.among(selection),
        block[varied],
        facts.shape[varied],
        options,
        seed,
    )
    concept, p_values, stability, agreed, further = (
        _placed(rows, varied, num_units, missing)
        for rows, missing in zip(chosen, (-1, np.nan, np.nan, np.nan, -1), strict=True)
    )
    q_values = benjamini_hochberg(p_values)
    estimating = Selection(activations, estimation), Selection(concept_scores, estimation)
    held_out = held_out_scores(*estimating, concept)
    first = estimation[np.isin(estimation, groups.first)]
    sizes, members = label_sets(
        Selection(activations, first),
        Selection(concept_scores, first),
        np.where(q_values <= options.fdr, concept, -1),
        blocks_of=block,
        seed=seed,
    )
    evidence = UnitEvidence(p_values, q_values, stability, *held_out)
    few_blocks = untold(block, groups.among(selection))
    free = images.groups is None and np.median(block) == 1
    clustered = bool(free) and come_in_clusters(groups, activations, concept_scores, images, seed)
    return Gathered(concept, evidence, agreed, further, members, sizes, groups.of, block, few_blocks, clustered)


def _choose(
    method: SimilarityMethod,
    activations: Columns,
    concept_scores: Columns,
    preferred: IntArray,
    groups: ImageGroups,
    block: IntArray,
    shape: DoubleArray,
    options: EvidenceOptions,
    seed: int,
) -> tuple[IntArray, DoubleArray, DoubleArray, DoubleArray, IntArray]:
    """Best concept, p-value, stability and agreement of m units, (m,), and their further labels; on these images."""
    if not activations.shape[1]:
        nothing = np.zeros(0)
        return np.zeros(0, np.int64), nothing, nothing, nothing, np.zeros((0, options.max_labels - 1), np.int64)
    comparison = Comparison.make(method, activations, concept_scores, groups=groups, blocks=block)
    rivals = np.concatenate([best_concepts(statistic, RIVALS) for _, statistic in comparison.statistics()])
    best = np.where(_alike(concept_scores, rivals[:, 0], preferred), preferred, rivals[:, 0])
    rivals = np.column_stack([best, rivals])
    p_values = label_p_values(comparison, best, shape, draws=options.draws, seed=seed)
    winners = resampled_best(comparison, rivals, resamples=options.resamples, seed=seed)
    # That residuals change places freely is what the test of further labels rests on.
    testable = (benjamini_hochberg(p_values) <= options.fdr) & (block == 1)
    further = further_labels(
        activations,
        concept_scores,
        np.where(testable, best, -1),
        max_labels=options.max_labels,
        seed=seed,
        groups=groups,
    )
    supported = np.column_stack([best, further])
    agreed = (winners[:, :, np.newaxis] == supported[:, np.newaxis]).any(axis=2) & (winners >= 0)
    stability = np.where(best >= 0, (winners == best[:, np.newaxis]).mean(axis=1), np.nan)
    return best, p_values, stability, agreed.mean(axis=1), further


def _alike(concept_scores: Columns, first: IntArray, second: IntArray) -> BoolArray:
    """(n,): whether two concepts, either of which may be -1 for none, have the same score on every image."""
    alike = np.zeros(len(first), np.bool_)
    there = np.flatnonzero((first >= 0) & (second >= 0))
    for where in slices(len(there), 2 * concept_scores.shape[0]):
        pairs = first[there[where]], second[there[where]]
        one, other = (Selection(concept_scores, columns=columns)[:, :] for columns in pairs)
        alike[there[where]] = (one == other).all(axis=0)
    return alike


def spread(gathered: Gathered, live: IntArray, num_units: int) -> Gathered:
    """The same for all U units of a layer, of which `live`, (n,), are those gathered for."""
    missing = {
        "concept": -1,
        "agreed": np.nan,
        "further": -1,
        "label_set": -1,
        "label_set_size": -1,
        "blocks": 1,
        "untold": False,
    }
    rows = {name: _placed(getattr(gathered, name), live, num_units, value) for name, value in missing.items()}
    columns = (getattr(gathered.evidence, field.name) for field in fields(UnitEvidence))
    evidence = UnitEvidence(*(_placed(column, live, num_units, np.nan) for column in columns))
    return Gathered(evidence=evidence, groups=gathered.groups, clustered=gathered.clustered, **rows)


def nothing_gathered(num_units: int, num_images: int) -> Gathered:
    """What is known where no evidence was asked for, or no unit is live."""
    unknown, none = np.full(num_units, np.nan), np.full(num_units, -1)
    return Gathered(
        concept=none,
        evidence=UnitEvidence(*[unknown] * len(fields(UnitEvidence))),
        agreed=np.ones(num_units),
        further=np.full((num_units, 0), -1),
        label_set=np.full((num_units, 0), -1),
        label_set_size=none,
        groups=np.arange(num_images),
        blocks=np.ones(num_units, np.int64),
        untold=np.zeros(num_units, np.bool_),
        clustered=False,
    )


def _placed(rows: NDArray[Any], where: IntArray, count: int, missing: float) -> NDArray[Any]:
    """`rows` put at `where` among `count` rows, all others `missing`."""
    placed = np.full((count, *rows.shape[1:]), missing, rows.dtype)
    placed[where] = rows
    return placed
