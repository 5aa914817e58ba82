"""Labels that say more than how bright, colourful or structured a picture is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection
from lumiscope.dissection.evidence._partial_correlation import deviations, partial_test
from lumiscope.dissection.evidence.held_out import parts
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.dissection.unit_labels import LayerLabels
from lumiscope.runs import Reason
from lumiscope.statistics import benjamini_hochberg
from lumiscope.types import DoubleArray, IntArray

IMAGES_PER_FEATURE = 2  # below, what is left of a unit is mostly an accident of the fit
NEGLIGIBLE = 1e-6  # of the length of a standardised feature
NOT_LIVE = (Reason.DEAD, Reason.CONSTANT, Reason.NOT_FINITE)


@dataclass(frozen=True)
class BeyondLowLevel:
    """What is left of U units' labels; NaN for a unit without one, and where nothing can be told.

    `correlation`: of activation and concept; `partial`: of what low-level features explain of neither. `p_value`: of
    the latter, one-sided; `q_value`: over the labelled units of the layer (Benjamini and Hochberg).
    """

    correlation: DoubleArray
    partial: DoubleArray
    p_value: DoubleArray
    q_value: DoubleArray


def beyond_low_level(
    labels: LayerLabels, activations: Columns, concept_scores: Columns, features: DoubleArray, seed: int
) -> BeyondLowLevel:
    """Test whether units go along with their labels beyond what `features`, (D, f), explain linearly of both.

    `activations`: (D, U), `concept_scores`: (D, K); `seed`: that the labels were made with. Only the images that had no
    part in choosing and testing the labels are looked at, of groups the first, and of units whose neighbouring images
    are alike one image a block. With fewer than two of them for each feature nothing can be told.
    """
    correlation, partial, p_value = np.full((3, len(labels)), np.nan)
    images = _estimating(labels, seed)
    for unit in np.flatnonzero(labels.concept >= 0):
        rows = images[:: max(1, int(labels.blocks[unit]))]
        if len(rows) < IMAGES_PER_FEATURE * features.shape[1]:
            continue
        activation = Selection(activations, rows, np.array([unit]))[:, :][:, 0].astype(np.float64)
        scores = Selection(concept_scores, rows, labels.concept[[unit]])[:, :][:, 0].astype(np.float64)
        correlation[unit], partial[unit], p_value[unit] = partial_test(activation, scores, _basis(features[rows]))
    return BeyondLowLevel(correlation, partial, p_value, benjamini_hochberg(p_value))


def _basis(features: DoubleArray) -> DoubleArray:
    """(n, r): as many independent directions as the columns of (n, f) `features` have; a constant one has none."""
    directions, lengths, _ = np.linalg.svd(deviations(features), full_matrices=False)
    return np.asarray(directions[:, lengths > NEGLIGIBLE])


def _estimating(labels: LayerLabels, seed: int) -> IntArray:
    """The images that had no part in choosing labels, one of each group."""
    groups = ImageGroups(labels.groups)
    live = np.array([reason is None or reason.reason not in NOT_LIVE for reason in labels.reason])
    block = int(np.median(labels.blocks[live])) if live.any() else 1
    _, estimation = parts(groups, seed, block)
    return estimation[np.isin(estimation, groups.first)]
