"""What a comparison of methods found: one row per image and pair, tables of them, and the means with their tests."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa

from lumiscope.agreement.overlap import Overlap
from lumiscope.runs import AgreementRow, AgreementSummaryRow, to_arrow
from lumiscope.statistics import bootstrap_interval, sign_flip_test
from lumiscope.types import DoubleArray


@dataclass(frozen=True)
class PairAgreement:
    """Two methods on one image. `rule_a`, `rule_b`: the rules that made their masks."""

    item_id: str
    method_a: str
    method_b: str
    overlap: Overlap
    rule_a: str
    rule_b: str


@dataclass(frozen=True)
class Agreement:
    """Every pair of methods on every image of one model. `rows`: image after image, in the order of the maps."""

    rows: tuple[PairAgreement, ...]
    model: str = ""

    def table_rows(self) -> list[AgreementRow]:
        """One row per image and pair; in an image the highest IoU first, undefined ones last."""
        images: dict[str, list[AgreementRow]] = {}
        for row in self.rows:
            images.setdefault(row.item_id, []).append(self._table_row(row))
        return [row for image in images.values() for row in _highest_iou_first(image)]

    def to_table(self) -> pa.Table:
        """`table_rows` as the table `agreement` of a run."""
        return to_arrow(AgreementRow, self.table_rows())

    def summary(self, seed: int = 0) -> pa.Table:
        """`summarise` of this model alone, as the table `agreement_summary` of a run."""
        return to_arrow(AgreementSummaryRow, summarise(self.table_rows(), seed=seed))

    def _table_row(self, row: PairAgreement) -> AgreementRow:
        return AgreementRow(
            model=self.model,
            image=row.item_id,
            method_a=row.method_a,
            method_b=row.method_b,
            rule_a=row.rule_a,
            rule_b=row.rule_b,
            **dataclasses.asdict(row.overlap),
        )


def summarise(rows: Iterable[AgreementRow], *, seed: int = 0) -> list[AgreementSummaryRow]:
    """One row per model and pair: means over the images; in a model the highest IoU first, undefined ones last.

    `images`: how many had a defined IoU; only these count. `low`, `high`: 95 % percentile bootstrap interval of the
    mean IoU over images. `adjusted`: its mean over the images where it is defined, NaN if there is none. `p_value`:
    one-sided sign-flip permutation test, image by image, that IoU exceeds its chance; it is not corrected for the
    number of pairs (see `lumiscope.statistics.holm`). `seed`: of both; no pair depends on which others there are.
    """
    models: dict[str, dict[tuple[str, str], list[AgreementRow]]] = {}
    for row in rows:
        models.setdefault(row.model, {}).setdefault((row.method_a, row.method_b), []).append(row)
    return [
        summary
        for model, pairs in models.items()
        for summary in _highest_iou_first(_summary(model, *pair, images, seed) for pair, images in pairs.items())
    ]


Compared = TypeVar("Compared", AgreementRow, AgreementSummaryRow)


def _highest_iou_first(rows: Iterable[Compared]) -> list[Compared]:
    return sorted(rows, key=lambda row: (math.isnan(row.iou), -row.iou))


def _summary(
    model: str, method_a: str, method_b: str, images: Iterable[AgreementRow], seed: int
) -> AgreementSummaryRow:
    defined = [row for row in images if not math.isnan(row.iou)]
    iou = np.array([row.iou for row in defined])
    chance = np.array([row.chance for row in defined])
    low, high = bootstrap_interval(iou, seed=seed)
    return AgreementSummaryRow(
        model=model,
        method_a=method_a,
        method_b=method_b,
        images=len(defined),
        iou=_mean(iou),
        low=low,
        high=high,
        chance=_mean(chance),
        ceiling=_mean([row.ceiling for row in defined]),
        adjusted=_mean([row.adjusted for row in defined if not math.isnan(row.adjusted)]),
        p_value=sign_flip_test(iou - chance, seed=seed),
    )


def _mean(values: DoubleArray | Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
