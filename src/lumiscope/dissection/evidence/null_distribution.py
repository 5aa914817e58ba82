"""Is a unit's label more than the best of many concepts by chance? Its null distribution."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection._selection import blocks
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence._shape_groups import shape_groups
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.ranking import best_concepts
from lumiscope.statistics import null_p_values
from lumiscope.types import DoubleArray, IntArray

GROUPS = (3, 8)  # at least and at most, where units differ in shape
GROUPED = 4  # draws for each unit, all groups together, unless that gives too few groups
FEWEST_PER_FACT = 20  # draws, for each fact of a shape that location and spread are fitted to


def label_p_values(comparison: Comparison, best: IntArray, shape: DoubleArray, *, draws: int, seed: int) -> DoubleArray:
    """(U,): how probable it is that a unit correlates as much with its best concept, if images are permuted.

    `best`: (U,) each unit's most similar concept, -1: none. `shape`: (U, 8), see `UnitFacts`. In every permutation the
    maximum of the similarity over all concepts is found anew; what is compared is the correlation of the activation
    with the concept that comes first. (With Pearson's correlation as the similarity that is the maximum itself.)
    Units of one shape share `draws` permutations, each unit of the group as often as another; within a group, location
    and spread of the correlation are fitted to what is left of the differences in shape.
    NaN where there is no best concept.
    """
    correlations = np.full(len(best), np.nan)
    for where in blocks(comparison.activations, 3):
        columns = comparison.activations[:, where]
        correlations[where] = np.where(best[where] >= 0, comparison.correlations(columns, best[where]), np.nan)
    most = int(np.clip(-(-GROUPED * len(best) // draws), *GROUPS))
    p_values = np.full(len(best), np.nan)
    for number, group in enumerate(shape_groups(shape, most)):
        members = generator(seed, "members", number).permutation(group)[np.arange(draws) % len(group)]
        drawn = permuted_correlations(comparison, members, seed, number)
        standard, observed = _standardised(drawn, shape[members], correlations[group], shape[group])
        p_values[group] = null_p_values(observed, standard)
    return p_values


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
