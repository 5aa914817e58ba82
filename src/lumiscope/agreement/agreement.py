"""What a comparison of methods found: one row per image and pair, tables of them, and the means with their tests."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pyarrow as pa

from lumiscope.agreement.other_images import EACH_ALONE, Masks, OtherImages, compare_other_images
from lumiscope.agreement.overlap import Overlap
from lumiscope.runs import AgreementRow, AgreementSummaryRow, ImageGroups, to_arrow
from lumiscope.statistics import mean_interval
from lumiscope.types import DoubleArray

ROUNDING = 1e-9


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
    """Every pair of methods on every image of one model. `rows`: image after image, in the order of the maps.

    `masks`: image -> what was compared there; without them nothing is known of different images. `groups`: which images
    belong together.
    """

    rows: tuple[PairAgreement, ...]
    model: str = ""
    masks: Mapping[str, Masks] = field(default_factory=dict)
    groups: ImageGroups = EACH_ALONE

    def table_rows(self) -> list[AgreementRow]:
        """One row per image and pair, without what different images say; in an image the highest IoU first."""
        images: dict[str, list[AgreementRow]] = {}
        for row in self.rows:
            images.setdefault(row.item_id, []).append(self._table_row(row))
        return [row for image in images.values() for row in _highest_iou_first(image)]

    def to_table(self) -> pa.Table:
        """`table_rows` as the table `agreement` of a run, with what different images say."""
        rows = with_other_images(self.table_rows(), {self.model: compare_other_images(self.masks, groups=self.groups)})
        return to_arrow(AgreementRow, rows)

    def summary(self, seed: int = 0) -> pa.Table:
        """`summarise` of this model alone, as the table `agreement_summary` of a run."""
        others = {self.model: compare_other_images(self.masks, groups=self.groups, seed=seed)}
        rows = with_other_images(self.table_rows(), others)
        return to_arrow(AgreementSummaryRow, summarise(rows, others, groups=self.groups, seed=seed))

    def _table_row(self, row: PairAgreement) -> AgreementRow:
        return AgreementRow(
            model=self.model,
            image=row.item_id,
            method_a=row.method_a,
            method_b=row.method_b,
            rule_a=row.rule_a,
            rule_b=row.rule_b,
            other_images=math.nan,
            **{**vars(row.overlap), "adjusted": math.nan},
        )


def with_other_images(rows: Iterable[AgreementRow], others: Mapping[str, Iterable[OtherImages]]) -> list[AgreementRow]:
    """The rows, each with what masks of different images have in common, and adjusted for it. `others`: by model."""
    by_pair = {(model, pair.method_a, pair.method_b): pair for model, pairs in others.items() for pair in pairs}
    return [
        _beside(row, pair.by_image.get(row.image, math.nan)) if pair is not None else row
        for row in rows
        for pair in [by_pair.get((row.model, row.method_a, row.method_b))]
    ]


def _beside(row: AgreementRow, other_images: float) -> AgreementRow:
    room = row.ceiling - other_images
    adjusted = (row.iou - other_images) / room if room > ROUNDING else math.nan
    return dataclasses.replace(row, other_images=other_images, adjusted=adjusted)


def summarise(
    rows: Iterable[AgreementRow],
    others: Mapping[str, Iterable[OtherImages]],
    *,
    groups: ImageGroups = EACH_ALONE,
    seed: int = 0,
) -> list[AgreementSummaryRow]:
    """One row per model and pair: means over the images; in a model the highest IoU first, undefined ones last.

    `others`: model -> what each pair has in common on different images, which gives `other_images` and `p_value`, NaN
    where it is not there; no p-value is corrected for the number of pairs (see `lumiscope.statistics.holm`).
    `images`: how many had a defined IoU; only these count. `low`, `high`: 95 % interval of the mean IoU over images, a
    `lumiscope.statistics.mean_interval` of `seed` that counts `groups` of images. `adjusted`: its mean over the images
    where it is defined, NaN if there is none. No pair depends on which others there are.
    """
    by_pair = {(model, pair.method_a, pair.method_b): pair for model, pairs in others.items() for pair in pairs}
    models: dict[str, dict[tuple[str, str], list[AgreementRow]]] = {}
    for row in rows:
        models.setdefault(row.model, {}).setdefault((row.method_a, row.method_b), []).append(row)
    return [
        summary
        for model, pairs in models.items()
        for summary in _highest_iou_first(
            _summary(images, by_pair.get((model, *pair), OtherImages(*pair, math.nan, {}, math.nan)), groups, seed)
            for pair, images in pairs.items()
        )
    ]


Compared = TypeVar("Compared", AgreementRow, AgreementSummaryRow)


def _highest_iou_first(rows: Iterable[Compared]) -> list[Compared]:
    return sorted(rows, key=lambda row: (math.isnan(row.iou), -row.iou))


def _summary(
    images: Sequence[AgreementRow], others: OtherImages, groups: ImageGroups, seed: int
) -> AgreementSummaryRow:
    defined = [row for row in images if not math.isnan(row.iou)]
    iou = np.array([row.iou for row in defined])
    low, high = mean_interval(iou, bounds=(0, 1), groups=groups(row.image for row in defined), seed=seed)
    return AgreementSummaryRow(
        model=images[0].model,
        method_a=others.method_a,
        method_b=others.method_b,
        images=len(defined),
        iou=_mean(iou),
        low=low,
        high=high,
        other_images=others.iou,
        chance=_mean([row.chance for row in defined]),
        ceiling=_mean([row.ceiling for row in defined]),
        adjusted=_mean([row.adjusted for row in defined if not math.isnan(row.adjusted)]),
        p_value=others.p_value,
    )


def _mean(values: DoubleArray | Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
