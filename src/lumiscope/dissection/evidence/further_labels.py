"""Further labels of a unit: concepts that it responds to where the labels so far do not explain it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, blocks, slices
from lumiscope.dissection.evidence._partial_correlation import deviations, partial_test
from lumiscope.dissection.evidence.held_out import halves
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.statistics import benjamini_hochberg
from lumiscope.types import DoubleArray, IntArray

FEWEST_IMAGES = 20
SIGNIFICANCE = 0.05
LEAST_CORRELATION = 0.1
SYNONYM = 0.9**2


@dataclass(frozen=True)
class _Half:
    activations: Selection
    concept_scores: Selection


def further_labels(
    activations: Columns,
    concept_scores: Columns,
    concept: IntArray,
    *,
    max_labels: int,
    seed: int,
    groups: ImageGroups | None = None,
) -> IntArray:
    """Add labels to units one at a time, each with the highest partial correlation given those before it.

    `activations`: (D, U), `concept_scores`: (D, K). `concept`: (U,) the first label; -1: none, and so no further one.
    `groups`: of the images, of which the first of each is looked at; None: all are. Of two random halves of these, one
    proposes a concept and the other tests it, so that nothing has to be said
    of the maximum over all concepts. It is accepted if on the second half its partial correlation is at least 0.1
    (it explains 1 % of what the labels so far leave unexplained), significant at 0.05 after the correction of
    Benjamini and Hochberg over the units of the layer, and its plain correlation positive.
    Never proposed: a concept of which the labels so far explain more than 81 % (a correlation of 0.9: a synonym), or
    one whose plain correlation on the first half is not positive.
    Returns (U, max_labels - 1), -1 for none; none at all with fewer than 20 images.
    After Oikarinen and Weng 2024, Linear Explanations for Individual Neurons, with forward selection, a test for each
    step and positive weights only.
    """
    further = np.full((len(concept), max_labels - 1), -1)
    looked_at = np.arange(len(activations)) if groups is None else groups.first
    if len(looked_at) < FEWEST_IMAGES:
        return further
    proposing, testing = (
        _Half(Selection(activations, looked_at[half]), Selection(concept_scores, looked_at[half]))
        for half in halves(len(looked_at), seed)
    )
    labels = concept[:, np.newaxis]
    units = np.flatnonzero(concept >= 0)
    for step in range(max_labels - 1):
        proposed = _propose(proposing, units, labels[units])
        units, proposed = units[proposed >= 0], proposed[proposed >= 0]
        accepted = _accept(testing, units, labels[units], proposed)
        units = units[accepted]
        further[units, step] = proposed[accepted]
        labels = np.column_stack([labels, further[:, step]])
    return further


def _propose(half: _Half, units: IntArray, labels: IntArray) -> IntArray:
    """(n,): the concept with the highest partial correlation for each of `units`, given `labels` (n, s); -1: none."""
    proposed = np.full(len(units), -1)
    for where in slices(len(units), len(half.activations) * (2 + labels.shape[1])):
        chosen, basis, residuals, lengths = _parts(half, units[where], labels[where])
        shares = np.stack([np.einsum("ni,ni->i", direction, chosen) for direction in basis])
        highest = np.zeros(len(lengths))
        for concepts in blocks(half.concept_scores, 2):
            columns = deviations(half.concept_scores[:, concepts])
            explained = np.zeros((len(lengths), columns.shape[1]))
            plain = np.zeros_like(explained)
            for direction, share in zip(basis, shares, strict=True):
                loading = direction.T @ columns
                explained += loading**2
                plain += share[:, np.newaxis] * loading
            fresh = residuals.T @ columns
            plain += lengths[:, np.newaxis] * fresh
            usable = (explained <= SYNONYM) & (plain > 0)
            partial = np.where(usable, fresh / np.sqrt(np.where(usable, 1 - explained, 1)), -np.inf)
            best = partial.argmax(axis=1)
            value = partial[np.arange(len(best)), best]
            better = value > highest
            highest[better] = value[better]
            proposed[np.arange(where.start, where.stop)[better]] = best[better] + concepts.start
    return proposed


def _parts(
    half: _Half, units: IntArray, labels: IntArray
) -> tuple[DoubleArray, list[DoubleArray], DoubleArray, DoubleArray]:
    """Activations of length 1, (D, n); what their labels span, orthonormal, s times (D, n); residuals and lengths.

    The residual of an activation that its labels explain to the last digits is 0, and so are those of constants.
    """
    activations = deviations(Selection(half.activations, columns=units)[:, :])
    basis: list[DoubleArray] = []
    residuals = activations.copy()
    for step in range(labels.shape[1]):
        words, place = np.unique(labels[:, step], return_inverse=True)
        column = deviations(Selection(half.concept_scores, columns=words)[:, :])[:, place]
        for direction in basis:
            column -= direction * np.einsum("ni,ni->i", direction, column)
        basis.append(_unit_length(column)[0])
        residuals -= basis[-1] * np.einsum("ni,ni->i", basis[-1], residuals)
    residuals, lengths = _unit_length(residuals)
    return activations, basis, residuals, lengths


def _unit_length(columns: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    lengths = np.linalg.norm(columns, axis=0)
    lengths = np.where(lengths > 1e-6, lengths, 0)
    return columns / np.where(lengths > 0, lengths, np.inf), lengths


def _accept(half: _Half, units: IntArray, labels: IntArray, proposed: IntArray) -> IntArray:
    """Indices into `units` of those whose proposed concept, (n,), holds on this half."""
    p_values = np.full(len(units), np.nan)
    strong = np.zeros(len(units), np.bool_)
    for place, unit in enumerate(units):
        activation = Selection(half.activations, columns=np.array([unit]))[:, :][:, 0]
        scores = Selection(half.concept_scores, columns=np.array([*labels[place], proposed[place]]))[:, :]
        plain, partial, p_values[place] = partial_test(activation, scores[:, -1], scores[:, :-1])
        strong[place] = plain > 0 and partial >= LEAST_CORRELATION
    return np.flatnonzero((benjamini_hochberg(p_values) <= SIGNIFICANCE) & strong)
