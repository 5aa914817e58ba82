"""How many concepts a number of probing images can support, and what to say where they are too few."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, blocks
from lumiscope.dissection.evidence._partial_correlation import deviations
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.further_labels import SYNONYM
from lumiscope.dissection.evidence.held_out import parts
from lumiscope.dissection.evidence.image_groups import ImageGroups, KnownImages
from lumiscope.dissection.evidence.options import EvidenceOptions
from lumiscope.dissection.evidence.ranking import best_concepts, rounding
from lumiscope.dissection.similarity import SIMILARITIES
from lumiscope.statistics import null_p_values
from lumiscope.types import BoolArray, DoubleArray, IntArray

FEW_IMAGES = 1000  # with more, every unit that is worth a name passes, and nothing is measured
SAMPLED_CONCEPTS = 50
DRAWS = 1000
POWER = 0.8
GOOD_CORRELATION = math.sqrt(0.5)
DEFAULTS = EvidenceOptions()


@dataclass(frozen=True)
class Capacity:
    """What D probing images can tell about K concepts, found out with units that are known to respond to one.

    Concepts that score alike on every image can be nobody's label: no unit is made of them, unless there are no others.
    `perfect`: the share of concepts that would become the label of a unit whose activation is the concept's score;
    `good`: the same where the score explains half of the activation's variance, the rest being noise. A label must
    come first, or a synonym of it (a correlation of 0.9), and no other tie with it, and be significant: p <= fdr,
    which is what the correction of Benjamini and Hochberg asks for where every unit of the layer is like that, the
    most favourable case.
    `supported`: the largest number of concepts, at most K, of which units of the good kind would get their label in
    80 % of cases if there were no other concepts; 0 if not even one.
    """

    images: int
    concepts: int
    perfect: float
    good: float
    supported: int


def small_sample_notes(
    similarity: str,
    concept_scores: Columns,
    *,
    options: EvidenceOptions = DEFAULTS,
    seed: int = 0,
    images: KnownImages = KnownImages(),  # noqa: B008 - frozen
) -> tuple[str, ...]:
    """Say what few probing images cannot tell, and what they can; empty where there are enough.

    `concept_scores`: (D, K), finite. Said are that a similarity is defined for more images, and that D images cannot
    support K concepts (see `Capacity`; with more than 1,000 images this is not looked into).
    Raises UnknownNameError for an unknown similarity.
    """
    method = SIMILARITIES[similarity]
    num_images = len(concept_scores)
    notes = []
    if num_images < method.minimum_images:
        counted = "1 probing image is" if num_images == 1 else f"{num_images} probing images are"
        notes.append(
            f"{counted} few: {method.title} is defined for {method.minimum_images} or more; "
            f"with fewer it {method.with_fewer}."
        )
    if num_images <= FEW_IMAGES:
        groups = images.known(num_images)
        capacity = measure_capacity(similarity, concept_scores, options=options, seed=seed, groups=groups)
        if capacity.good < POWER:
            notes += _sentences(capacity, similarity)
    return tuple(notes)


def measure_capacity(
    similarity: str,
    concept_scores: Columns,
    *,
    options: EvidenceOptions = DEFAULTS,
    seed: int = 0,
    groups: ImageGroups | None = None,
) -> Capacity:
    """Make units that respond to known concepts and count how many would be told from permuted ones.

    `concept_scores`: (D, K), finite. `groups`: images that count as one; None: each by itself. Labels are tested on two
    thirds of the images, and so are these. 50 concepts are sampled, and 1,000 permutations drawn, whatever D and K.
    """
    method = SIMILARITIES[similarity]
    num_images, num_concepts = concept_scores.shape
    groups = ImageGroups.single(num_images) if groups is None else groups
    selection = parts(groups, seed)[0]
    concept_scores, groups = Selection(concept_scores, selection), groups.among(selection)
    random = generator(seed, "capacity", 0)
    order = random.permutation(num_concepts)
    varied = order[_varied(concept_scores)[order]]
    sampled = np.sort((varied if varied.size else order)[:SAMPLED_CONCEPTS])
    perfect = Selection(concept_scores, columns=sampled)[:, :].astype(np.float64)
    noise = deviations(random.normal(size=perfect.shape))
    good = GOOD_CORRELATION * deviations(perfect) + math.sqrt(1 - GOOD_CORRELATION**2) * noise
    counts = _counts(num_concepts)
    totals = method.row_totals(concept_scores)
    comparisons = [Comparison.make(method, units, concept_scores, totals, groups) for units in (perfect, good)]
    shares = [
        (
            (_p_values(comparison, sampled, counts, seed) <= options.fdr)
            & _named_rightly(comparison, sampled, counts, seed)
        ).mean(axis=0)
        for comparison in comparisons
    ]
    enough = np.flatnonzero(shares[1] >= POWER)
    supported = int(counts[enough[-1]]) if enough.size else 0
    return Capacity(num_images, num_concepts, float(shares[0][-1]), float(shares[1][-1]), supported)


def _varied(concept_scores: Columns) -> BoolArray:
    """(K,): whether a concept's score differs between images."""
    spans = [np.ptp(concept_scores[:, where], axis=0) for where in blocks(concept_scores)]
    return np.asarray(np.concatenate(spans) > 0)


def _counts(num_concepts: int) -> IntArray:
    """Numbers of concepts to try: 1, 2, 5, 10, 20, 50 ... and all."""
    steps = [step * 10**power for power in range(len(str(num_concepts))) for step in (1, 2, 5)]
    return np.array([*(step for step in steps if step < num_concepts), num_concepts])


def _chosen_from(num_concepts: int, seed: int) -> IntArray:
    """The concepts in the order in which more and more of them are to choose from."""
    return generator(seed, "capacity", 1).permutation(num_concepts)


def _named_rightly(comparison: Comparison, concepts: IntArray, counts: IntArray, seed: int) -> BoolArray:
    """(n, c): whether each unit is named after its own concept or a synonym, for each number to choose from.

    Not if another concept ties with its own: which of them is the label then says nothing about the unit.
    """
    order = _chosen_from(comparison.unitwise.shape[1], seed)
    own_scores = Selection(comparison.concept_scores, columns=concepts)[:, :]
    named = np.empty((len(concepts), len(counts)), np.bool_)
    for where, statistic in comparison.statistics():
        own_statistic = np.take_along_axis(statistic, concepts[where, np.newaxis], axis=1)[:, 0]
        statistic = np.where(np.isnan(statistic), -np.inf, statistic)  # what is undefined is not the best
        for number, count in enumerate(counts):
            rivals = np.where(order[:count] == concepts[where, np.newaxis], -np.inf, statistic[:, order[:count]])
            best = order[rivals.argmax(axis=1)]
            first = own_statistic - rounding(own_statistic) > rivals.max(axis=1)
            synonym = comparison.correlations(own_scores[:, where], best) ** 2 >= SYNONYM
            named[where, number] = first | synonym
    return named


def _p_values(comparison: Comparison, concepts: IntArray, counts: IntArray, seed: int) -> DoubleArray:
    """(n, c): the p-value of each unit's correlation with its own concept, for each number of concepts to choose from.

    The first of `concepts` in a random order are the ones to choose from; permuted units choose the best of them.
    """
    correlations = comparison.correlations(comparison.activations[:, :], concepts)
    order = _chosen_from(comparison.unitwise.shape[1], seed)
    drawn = np.empty((DRAWS, len(counts)))
    for where, columns, statistic in comparison.permuted(np.arange(DRAWS) % len(concepts), seed, 0):
        for number, count in enumerate(counts):
            best = best_concepts(statistic[:, order[:count]], 1)[:, 0]
            drawn[where, number] = comparison.correlations(columns, np.where(best >= 0, order[best], -1))
    return np.column_stack([null_p_values(correlations, column) for column in drawn.T])


def _sentences(capacity: Capacity, similarity: str) -> list[str]:
    images = f"{capacity.images} probing image" + ("s" if capacity.images != 1 else "")
    concepts = f"{capacity.concepts:,} concept" + ("s" if capacity.concepts != 1 else "")
    short = (
        f"{images} cannot support {concepts} (similarity {similarity}): the best of so many fits by chance alone. Of "
        f"units with a concept that explains half of their variance only {capacity.good:.0%} could get a label, and "
        f"of those that are a concept's scores to the last digit {capacity.perfect:.0%}."
    )
    if capacity.supported:
        told = (
            f"{images} could tell {capacity.supported:,} concept{'s' if capacity.supported > 1 else ''} from chance: "
            "with no more than so many, chosen beforehand, four in five of such units would get their label."
        )
    else:
        told = f"{images} cannot even tell one concept, chosen beforehand, from chance for four in five of such units."
    advice = (
        "What a unit without a label is most like is a guess; the images themselves, and how active each unit is on "
        "them, are facts. Use more probing images, or fewer concepts."
    )
    return [short.replace("%", " %"), told, advice]
