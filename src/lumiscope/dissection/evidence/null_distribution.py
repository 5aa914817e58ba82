"""Is a unit's label more than the best of many concepts by chance? Its null distribution."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection._selection import Selection, blocks, slices
from lumiscope.dissection.evidence._partial_correlation import deviations
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence._shape_groups import shape_groups
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.neighbours import autocorrelations, untold
from lumiscope.dissection.evidence.ranking import best_concepts
from lumiscope.statistics import counted_p_values, null_p_values
from lumiscope.types import DoubleArray, IntArray

GROUPS = (3, 8)  # at least and at most, where units differ in shape
GROUPED = 4  # draws for each unit, all groups together, unless that gives too few groups
FEWEST_PER_FACT = 20  # draws, for each fact of a shape that location and spread are fitted to
TIE = 1e-9  # the same images in another order are summed up to rounding: a draw that is the unit itself is as high
STEPS = 3 / 2  # of what steps moved anywhere share by chance is shared by steps at the same places
CARRIED = 0.5  # of a unit's sum of squares: with more on one image, that image's place decides


def label_p_values(comparison: Comparison, best: IntArray, shape: DoubleArray, *, draws: int, seed: int) -> DoubleArray:
    """(U,): how probable it is that a unit correlates as much with its best concept, if images are permuted.

    `best`: (U,) each unit's most similar concept, -1: none. `shape`: (U, 8), see `UnitFacts`. In every permutation the
    maximum of the similarity over all concepts is found anew; what is compared is the correlation of the activation
    with the concept that comes first. (With Pearson's correlation as the similarity that is the maximum itself.)
    Units of one shape share `draws` permutations, each unit of the group as often as another; within a group, location
    and spread of the correlation are fitted to what is left of the differences in shape.
    Units that one image, or group of images, carries for the most part are groups of their own. What these can be like
    is told by few places and so comes in lumps, for which no tail can be fitted: there the p-value is the count.
    Where neighbours in the list of images are alike, correlations are divided by what that widens them by, see
    `widening`; p is 1 where it leaves fewer than 6 blocks of neighbours.
    NaN where there is no best concept.
    """
    correlations = np.full(len(best), np.nan)
    for where in blocks(comparison.activations, 3):
        columns = comparison.activations[:, where]
        correlations[where] = np.where(best[where] >= 0, comparison.correlations(columns, best[where]), np.nan)
    most = int(np.clip(-(-GROUPED * len(best) // draws), *GROUPS))
    carried = carried_shares(comparison) > CARRIED
    correlations /= np.sqrt(widening(comparison, best))
    groups = [
        (group, lumpy)
        for lumpy, kind in ((False, ~carried), (True, carried))
        for group in _groups_among(np.flatnonzero(kind), shape, most)
    ]
    p_values = np.full(len(best), np.nan)
    for number, (group, lumpy) in enumerate(groups):
        members = generator(seed, "members", number).permutation(group)[np.arange(draws) % len(group)]
        drawn = permuted_correlations(comparison, members, seed, number)
        standard, observed = _standardised(drawn, shape[members], correlations[group], shape[group])
        p_values[group] = (counted_p_values if lumpy else null_p_values)(observed - TIE, standard)
    return np.where(untold(comparison.blocks, comparison.groups) & ~np.isnan(p_values), 1.0, p_values)


def widening(comparison: Comparison, best: IntArray) -> DoubleArray:
    """(U,): how many times as much the correlation with the best concept varies by chance, neighbours being alike.

    1 + 2 Σ rₖ sₖ, with r and s the autocorrelations of unit and concept at the lags k within the unit's block, see
    `block_lengths` (Bartlett 1935, Some Aspects of the Time-Correlation Problem in Regard to Tests of Significance).
    Deviation: unit and concept may change at the same places of the list, as with classes one after the other, and
    then share all of a step and not the part that steps moved anywhere do, ∫ (1 - s)² against ∫ 1 - s; so the sum
    counts 3/2 times. 1 for units whose neighbours are not alike.
    """
    widened = np.ones(len(best))
    units = np.flatnonzero((comparison.blocks > 1) & (best >= 0))
    first = comparison.groups.first
    for where in slices(len(units), 6 * len(first)):
        some = units[where]
        most = min(int(comparison.blocks[some].max()), len(first)) - 1
        of_units, of_concepts = (
            autocorrelations(deviations(Selection(matrix, first, columns)[:, :].astype(np.float64)), most)
            for matrix, columns in ((comparison.activations, some), (comparison.concept_scores, best[some]))
        )
        within = np.arange(1, most + 1)[:, np.newaxis] < comparison.blocks[some]
        widened[some] += STEPS * 2 * np.maximum((of_units * of_concepts * within).sum(axis=0), 0)
    return widened


def _groups_among(units: IntArray, facts: DoubleArray, most: int) -> list[IntArray]:
    return [units[group] for group in shape_groups(facts[units], most)] if units.size else []


def carried_shares(comparison: Comparison) -> DoubleArray:
    """(U,): what share of a unit's squared deviations from its mean is on one group of images."""
    shares = np.empty(comparison.activations.shape[1])
    order = np.argsort(comparison.groups.of, kind="stable")
    starts = np.searchsorted(comparison.groups.of[order], np.arange(len(comparison.groups)))
    for where in blocks(comparison.activations, 4):
        squares = deviations(comparison.activations[:, where]) ** 2
        shares[where] = np.add.reduceat(squares[order], starts, axis=0).max(axis=0)
    return shares


def permuted_correlations(comparison: Comparison, units: IntArray, seed: int, *stream: int) -> DoubleArray:
    """(n,): each of `units`, (n,), permuted: its correlation with the concept that is then the best of all."""
    drawn = np.empty(len(units))
    for where, columns, statistic in comparison.permuted(units, seed, *stream):
        drawn[where] = comparison.correlations(columns, best_concepts(statistic, 1)[:, 0])
    return drawn


def _standardised(
    drawn: DoubleArray, drawn_facts: DoubleArray, observed: DoubleArray, facts: DoubleArray
) -> tuple[DoubleArray, DoubleArray]:
    """Correlations of permuted units and of real ones, (n,) and (m,), made comparable: less what their shapes explain.

    Location and logarithm of the spread of the former are linear in the facts of the shape, (n, f) and (m, f).
    """
    usable = np.isfinite(drawn)
    varied = drawn_facts.std(axis=0) > 1e-9
    if usable.sum() < FEWEST_PER_FACT * varied.sum() or not varied.any():
        return drawn, observed
    centre, width = drawn_facts[usable].mean(axis=0)[varied], drawn_facts[usable].std(axis=0)[varied] + 1e-12
    design, points = (
        np.column_stack([np.ones(len(shapes)), (shapes[:, varied] - centre) / width]) for shapes in (drawn_facts, facts)
    )
    location = np.linalg.lstsq(design[usable], drawn[usable], rcond=1e-6)[0]
    residuals = np.abs(drawn[usable] - design[usable] @ location)
    typical = residuals.mean()
    if typical == 0:
        return drawn, observed
    spread = np.linalg.lstsq(design[usable], np.log(residuals + 0.1 * typical), rcond=1e-6)[0]
    return (drawn - design @ location) / np.exp(design @ spread), (observed - points @ location) / np.exp(
        points @ spread
    )
