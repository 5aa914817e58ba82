"""Is a unit's best similarity more than chance? The null distribution of the maximum over all concepts."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.seeds import generator
from lumiscope.dissection.evidence.shape_groups import depends_on_values, shape_groups
from lumiscope.statistics import null_p_values
from lumiscope.types import DoubleArray, IntArray

GROUPS = (3, 8)  # at least and at most, where units differ in shape
GROUPED = 4  # draws for each unit, all groups together, unless that gives too few groups
FEWEST_PER_FACT = 20  # draws, for each fact of a shape that location and spread are fitted to


def maximum_p_values(
    comparison: Comparison, best: IntArray, shape: DoubleArray, *, draws: int, seed: int
) -> DoubleArray:
    """(U,): how probable it is that the best of all concepts is as much like a unit as its own, if images are permuted.

    `best`: (U,) each unit's best concept, -1: none. `shape`: (U, 8), see `UnitFacts`. What is compared is the
    similarity; where that has a contrast, the part that needs no other unit, less the average permuted unit (see
    `Comparison.chance_average`).
    Units of one shape share `draws` permutations, each unit of the group as often as another; within a group, location
    and spread of the maximum are fitted to what is left of the differences in shape.
    NaN where there is no best concept.
    """
    chance = comparison.chance_average(seed, draws)
    units = np.arange(len(best))
    own = np.where(best >= 0, comparison.unitwise[units, best] - chance[best], np.nan)
    most = int(np.clip(-(-GROUPED * len(best) // draws), *GROUPS))
    facts, groups = shape_groups(shape, depends_on_values(comparison.method, len(comparison.activations)), most)
    p_values = np.full(len(best), np.nan)
    for number, group in enumerate(groups):
        members = generator(seed, "members", number).permutation(group)[np.arange(draws) % len(group)]
        maxima = permuted_maxima(comparison, chance, members, seed, number)
        standard, observed = _standardised(maxima, facts[members], own[group], facts[group])
        p_values[group] = null_p_values(observed, standard)
    return p_values


def permuted_maxima(
    comparison: Comparison, chance: DoubleArray, units: IntArray, seed: int, *stream: int
) -> DoubleArray:
    """(n,): the maximum over all concepts, less `chance`, (K,), for each of `units`, (n,), permuted."""
    maxima = np.empty(len(units))
    for where, scores in comparison.permuted(units, seed, *stream):
        scores -= chance
        maxima[where] = scores.max(axis=1)
    return maxima


def _standardised(
    maxima: DoubleArray, drawn_facts: DoubleArray, highest: DoubleArray, facts: DoubleArray
) -> tuple[DoubleArray, DoubleArray]:
    """Maxima of permuted units and of real ones, (n,) and (m,), made comparable: less what their shapes explain.

    Location and logarithm of the spread of the maxima are linear in the facts of the shape, (n, f) and (m, f).
    """
    usable = np.isfinite(maxima)
    varied = drawn_facts.std(axis=0) > 1e-9
    if usable.sum() < FEWEST_PER_FACT * varied.sum() or not varied.any():
        return maxima, highest
    centre, width = drawn_facts[usable].mean(axis=0)[varied], drawn_facts[usable].std(axis=0)[varied] + 1e-12
    design, points = (
        np.column_stack([np.ones(len(one)), (one[:, varied] - centre) / width]) for one in (drawn_facts, facts)
    )
    location = np.linalg.lstsq(design[usable], maxima[usable], rcond=1e-6)[0]
    residuals = np.abs(maxima[usable] - design[usable] @ location)
    typical = residuals.mean()
    if typical == 0:
        return maxima, highest
    spread = np.linalg.lstsq(design[usable], np.log(residuals + 0.1 * typical), rcond=1e-6)[0]
    return (maxima - design @ location) / np.exp(design @ spread), (highest - points @ location) / np.exp(
        points @ spread
    )
