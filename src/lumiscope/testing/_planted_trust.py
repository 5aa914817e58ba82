"""What the maps of a planted study score, and where they lie."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from lumiscope.runs import AuditRow, ImageGroups, TrustRow, TrustSummaryRow
from lumiscope.study import Judged, Tables, audit_rows, trust_rows
from lumiscope.testing._class_noise import class_noise
from lumiscope.trust import BASELINES, cell_shares
from lumiscope.types import DoubleArray, FloatArray, IntArray

FAITHFUL, PLACED = "abpc", "energy"
KNOWS = 1.0  # deviations by which a map that is related to the picture scores more than one that knows nothing
AHEAD = 0.5  # by which the best method is ahead
SHARED = 0.7  # of the variance is the picture's, whoever scores


def write_trust(
    tables: Tables,
    rng: np.random.Generator,
    names: Sequence[str],
    classes: IntArray,
    groups: ImageGroups,
    maps: Mapping[str, Mapping[str, Sequence[FloatArray]]],
    effects: Collection[str],
) -> None:
    """Scores of maps and baselines, and audits of the maps, by the code of a run. `maps`: model -> method -> maps."""
    scores: list[TrustRow] = []
    means: list[TrustSummaryRow] = []
    audits: list[AuditRow] = []
    knows = KNOWS if "related" in effects else 0.0
    for model, of_model in maps.items():
        methods = list(of_model)
        faithful = _scores(rng, methods, classes, methods[0] if "faithful" in effects else "", knows)
        placed = _scores(rng, methods, classes, methods[1] if "placed" in effects else "", knows)
        judged = [
            Judged(
                name,
                {
                    FAITHFUL: {who: 0.2 * float(values[row]) for who, values in faithful.items()},
                    PLACED: {who: math.exp(0.3 * float(values[row])) for who, values in placed.items()},
                },
            )
            for row, name in enumerate(names)
        ]
        rows = trust_rows(model, judged, groups, 0)
        scores += rows[TrustRow]
        means += rows[TrustSummaryRow]
        for method, of_method in of_model.items():
            shares = {
                name: cell_shares(values.astype(np.float64)) for name, values in zip(names, of_method, strict=True)
            }
            audits += audit_rows(model, method, shares, {}, groups, 0)
    tables.write(TrustRow, scores)
    tables.write(TrustSummaryRow, means)
    tables.write(AuditRow, audits)


def _scores(
    rng: np.random.Generator, methods: Sequence[str], classes: IntArray, first: str, knows: float
) -> dict[str, DoubleArray]:
    """Method or baseline -> (n,) scores in standard deviations. `first`: who is ahead; `knows`: how far methods are.

    A third of what a picture gives to all of them is that of its class.
    """
    shared = class_noise(rng, classes)
    return {
        who: math.sqrt(SHARED) * shared
        + math.sqrt(1 - SHARED) * rng.normal(0, 1, len(classes))
        + (knows if who in methods else 0)
        + (AHEAD if who == first else 0)
        for who in (*methods, *BASELINES)
    }
