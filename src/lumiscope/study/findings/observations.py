"""What there is to see on each map, in one line: computed, not tested, and about this picture alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from lumiscope.runs import GROUND_TRUTH, AgreementRow, MapShapeRow, ObservationRow
from lumiscope.statistics import mean_of_known
from lumiscope.study.findings.claim import Rows

ODD = 0.5  # of what the others share with one another: who shares less with them is the odd one out
FEWEST = 3  # methods among which one can be odd
Pair = frozenset[str]


def observe(tables: Rows) -> list[ObservationRow]:
    """One line for each map, in the order of `map_shapes`."""
    pairs: dict[tuple[str, str], dict[Pair, float]] = {}
    for row in tables.rows(AgreementRow):
        if row.method_b != GROUND_TRUTH:
            pairs.setdefault((row.model, row.image), {})[frozenset({row.method_a, row.method_b})] = row.iou
    return [
        ObservationRow(
            model=row.model,
            image=row.image,
            method=row.method,
            text="; ".join(_parts(row, pairs.get((row.model, row.image), {}))),
        )
        for row in tables.rows(MapShapeRow)
    ]


def _parts(row: MapShapeRow, pairs: Mapping[Pair, float]) -> Iterator[str]:
    if math.isnan(row.extent):
        yield "nothing to see"
        return
    yield f"half of the weight on {row.extent:.0%} of the view"
    yield f"sharpness {row.sharpness:.1f}, the rise over a width of the view where the map rises"
    if not math.isnan(row.inside):
        covered = "" if math.isnan(row.covered) else f", of which its mask covers {row.covered:.0%}"
        yield f"{row.inside:.0%} on the object{covered}"
    odd = odd_one_out(pairs)
    if odd is not None and odd[0] == row.method:
        yield f"the odd one out: mean IoU {odd[1]:.2f} with the other methods, which share {odd[2]:.2f}"


def odd_one_out(pairs: Mapping[Pair, float]) -> tuple[str, float, float] | None:
    """The method that shares less than half as much with the others as they share with one another.

    `pairs`: IoU of each pair of methods on one image. Returns its name, the mean IoU of its pairs, and that of the
    others; None where there is no such method, or fewer than three have defined pairs.
    """
    defined = {pair: iou for pair, iou in pairs.items() if not math.isnan(iou)}
    methods = sorted(set().union(*defined)) if defined else []
    if len(methods) < FEWEST:
        return None
    shares = {name: mean_of_known(iou for pair, iou in defined.items() if name in pair) for name in methods}
    last = min(methods, key=lambda name: shares[name])
    others = mean_of_known(iou for pair, iou in defined.items() if last not in pair)
    return (last, shares[last], others) if shares[last] < ODD * others else None
