"""Which concepts could be a unit's best one? A confidence set, on images that did not choose the label."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, blocks, slices
from lumiscope.dissection.evidence._partial_correlation import deviations
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.ranking import rounding
from lumiscope.types import BoolArray, DoubleArray, IntArray

LEVEL = 0.05
LISTED_WORDS = 20
RESAMPLES = 500
MOST_CONTENDERS = 100  # that are resampled together; of more, none is told from the leader
FEWEST_IMAGES = 15
WEIGHTS = 9  # arrays of the size of a block of concepts that are held at a time


def label_sets(
    activations: Columns, concept_scores: Columns, leader: IntArray, *, blocks_of: IntArray, seed: int
) -> tuple[IntArray, IntArray]:
    """The concepts that are not shown to go along with a unit less than its label does.

    `activations`: (D, U), `concept_scores`: (D, K), both on images that had no part in choosing `leader`, (U,), -1 for
    none. `blocks_of`: (U,) how many neighbouring images say as much as one, see `block_lengths`.
    Each concept's correlation with the activation is compared with the leader's on the same images: the difference,
    over its standard error by the influence of each image on both. A concept leaves the set where that exceeds what the
    highest of all differences would exceed by chance in 5 % of cases: by Bonferroni's bound on Student's t at first,
    then, up to 100 concepts that are left, by the multiplier bootstrap of their maximum, step by step (Romano and Wolf
    2005; Mogstad, Romano, Shaikh and Wilhelm 2024, on ranks). So all concepts that go along with a unit as well as its
    label does, or better, are in the set together in 95 % of cases. Concepts that score alike on all of these images
    are compared with nothing, and are not in it.
    Returns the number of concepts in each set, (U,), -1 where it cannot be told (no leader, one that is constant here,
    or fewer than 15 images), and the first 20 of them, (U, 20): the leader, then by falling correlation; -1: no more.
    """
    num_images, num_units = activations.shape
    sizes, members = np.full(num_units, -1), np.full((num_units, LISTED_WORDS), -1)
    if num_images < FEWEST_IMAGES:
        return sizes, members
    units = np.flatnonzero(leader >= 0)
    multipliers = generator(seed, "label sets").normal(size=(RESAMPLES, num_images))
    for where in slices(len(units), 8 * (num_images + concept_scores.shape[1])):
        some = units[where]
        z = _standard(Selection(activations, columns=some)[:, :])
        lead = _standard(Selection(concept_scores, columns=leader[some])[:, :])
        known = z.any(axis=0) & lead.any(axis=0)
        correlation, error = _against_leader(z, lead, concept_scores)
        for place in np.flatnonzero(known):
            t_values = _t_values(correlation[place], error[place], leader[some[place]]) / np.sqrt(
                blocks_of[some[place]]
            )
            inside = t_values <= student.ppf(1 - LEVEL / len(t_values), num_images - 2)
            if inside.sum() <= MOST_CONTENDERS:
                concepts = np.flatnonzero(inside)
                scores = _standard(Selection(concept_scores, columns=concepts)[:, :])
                influence = _influence(z[:, [place]], lead[:, [place]]) - _influence(z[:, [place]], scores)
                inside[concepts] = _not_worse(t_values[concepts], influence, multipliers)
            order = np.flatnonzero(inside)
            order = order[np.lexsort((-correlation[place, order], order != leader[some[place]]))]
            sizes[some[place]] = len(order)
            members[some[place], : len(order)] = order[:LISTED_WORDS]
    return sizes, members


def _standard(columns: Columns) -> DoubleArray:
    """(D, n): columns of mean 0 and variance 1; 0 for a constant one."""
    whole = columns[:, :]
    return np.asarray(deviations(whole) * np.sqrt(len(whole)))


def _influence(activation: DoubleArray, scores: DoubleArray) -> DoubleArray:
    """(D, n): how each image moves the correlation of two standardised columns, D times (Hampel 1974)."""
    products = activation * scores
    return np.asarray(products - products.mean(axis=0) * (activation**2 + scores**2) / 2)


def _against_leader(z: DoubleArray, lead: DoubleArray, concept_scores: Columns) -> tuple[DoubleArray, DoubleArray]:
    """(n, K): correlation of n units with all concepts, and the standard error of what it is less than the leader's.

    `z`, `lead`: (D, n) standardised activations, and scores of each unit's leader. NaN for constant concepts. The sums
    of squares of `_influence` differences, multiplied out, so that units and concepts meet in matrix products.
    """
    num_images, num_units = z.shape
    shape = (num_units, concept_scores.shape[1])
    correlation, error = np.empty(shape), np.empty(shape)
    influence = _influence(z, lead)
    squared = z**2
    for where in blocks(concept_scores, WEIGHTS):
        p = _standard(concept_scores[:, where])
        p2 = p**2
        r = z.T @ p / num_images
        cross = (influence * z).T @ p - r / 2 * (
            np.einsum("di,di->i", influence, squared)[:, np.newaxis] + influence.T @ p2
        )
        own = squared.T @ p2 - r * ((z**3).T @ p + z.T @ (p2 * p))
        own += r**2 / 4 * ((squared**2).sum(axis=0)[:, np.newaxis] + 2 * squared.T @ p2 + (p2**2).sum(axis=0))
        total = (influence**2).sum(axis=0)[:, np.newaxis] - 2 * cross + own
        error[:, where] = np.sqrt(np.maximum(total, 0)) / num_images
        correlation[:, where] = np.where(p.any(axis=0), r, np.nan)
    return correlation, error


def _t_values(correlation: DoubleArray, error: DoubleArray, leader: int) -> DoubleArray:
    """(K,): how many standard errors each concept is behind the leader; inf where a concept cannot be compared."""
    behind = correlation[leader] - correlation
    alike = behind <= 1e3 * rounding(np.ones(1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isnan(behind), np.inf, np.where(alike, np.minimum(behind, 0), behind / error))


def _not_worse(t_values: DoubleArray, influence: DoubleArray, multipliers: DoubleArray) -> BoolArray:
    """(m,): which concepts stay. `influence`: (D, m) of the differences. Those beyond the maximum's quantile leave."""
    lengths = np.linalg.norm(influence, axis=0)
    draws = multipliers @ (influence / np.where(lengths > 0, lengths, np.inf))
    stays = np.ones(len(t_values), np.bool_)
    heavier = student.ppf(1 - LEVEL, len(influence) - 2) / student.ppf(1 - LEVEL, 10**6)
    while True:
        bound = heavier * np.quantile(draws[:, stays].max(axis=1), 1 - LEVEL)
        leaves = stays & (t_values > bound)
        if not leaves.any():
            return stays
        stays &= ~leaves
