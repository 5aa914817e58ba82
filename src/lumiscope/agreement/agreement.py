"""What a comparison of methods found: one row per image and pair, tables of them, and the means with their tests."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lumiscope.agreement.overlap import Overlap
from lumiscope.statistics import bootstrap_interval, sign_flip_test
from lumiscope.types import DoubleArray

AGREEMENT_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("image", pa.string()),
        ("method_a", pa.string()),
        ("method_b", pa.string()),
        ("iou", pa.float64()),
        ("area_a", pa.float64()),
        ("area_b", pa.float64()),
        ("chance", pa.float64()),
        ("ceiling", pa.float64()),
        ("adjusted", pa.float64()),
        ("rule_a", pa.string()),
        ("rule_b", pa.string()),
        ("reason", pa.string()),
    ]
)
SUMMARY_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("method_a", pa.string()),
        ("method_b", pa.string()),
        ("images", pa.int64()),
        ("iou", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("chance", pa.float64()),
        ("ceiling", pa.float64()),
        ("adjusted", pa.float64()),
        ("p_value", pa.float64()),
    ]
)


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

    def to_table(self) -> pa.Table:
        """One row per image and pair (`AGREEMENT_SCHEMA`); in an image the highest IoU first, undefined ones last."""
        images: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows:
            images.setdefault(row.item_id, []).append(self._table_row(row))
        rows = [row for image in images.values() for row in _highest_iou_first(image)]
        return pa.Table.from_pylist(rows, schema=AGREEMENT_SCHEMA)

    def summary(self, seed: int = 0) -> pa.Table:
        """One row per pair, `SUMMARY_SCHEMA`: means over the images; highest IoU first, undefined ones last.

        `images`: how many had a defined IoU; only these count. `low`, `high`: 95 % percentile bootstrap interval of
        the mean IoU over images. `adjusted`: its mean over the images where it is defined, NaN if there is none.
        `p_value`: one-sided sign-flip permutation test, image by image, that IoU exceeds its chance; it is not
        corrected for the number of pairs (see `lumiscope.statistics.holm`). `seed`: of both; no pair depends on which
        others there are.
        """
        pairs: dict[tuple[str, str], list[Overlap]] = {}
        for row in self.rows:
            pairs.setdefault((row.method_a, row.method_b), []).append(row.overlap)
        rows = (
            {"model": self.model, "method_a": method_a, "method_b": method_b, **_means(overlaps, seed)}
            for (method_a, method_b), overlaps in pairs.items()
        )
        return pa.Table.from_pylist(_highest_iou_first(rows), schema=SUMMARY_SCHEMA)

    def _table_row(self, row: PairAgreement) -> dict[str, Any]:
        return {
            "model": self.model,
            "image": row.item_id,
            "method_a": row.method_a,
            "method_b": row.method_b,
            "rule_a": row.rule_a,
            "rule_b": row.rule_b,
            **dataclasses.asdict(row.overlap),
        }


def summarise(agreements: Iterable[Agreement], *, seed: int = 0) -> pa.Table:
    """Put the summaries of several models below each other, in order; see `Agreement.summary`."""
    return pa.concat_tables([SUMMARY_SCHEMA.empty_table(), *(one.summary(seed) for one in agreements)])


def _highest_iou_first(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (math.isnan(row["iou"]), -row["iou"]))


def _means(overlaps: Iterable[Overlap], seed: int) -> dict[str, Any]:
    """The numbers of a summary row."""
    defined = [overlap for overlap in overlaps if not math.isnan(overlap.iou)]
    iou, chance, ceiling = (np.array([getattr(one, name) for one in defined]) for name in ("iou", "chance", "ceiling"))
    low, high = bootstrap_interval(iou, seed=seed)
    return {
        "images": len(defined),
        "iou": _mean(iou),
        "low": low,
        "high": high,
        "chance": _mean(chance),
        "ceiling": _mean(ceiling),
        "adjusted": _mean([one.adjusted for one in defined if not math.isnan(one.adjusted)]),
        "p_value": sign_flip_test(iou - chance, seed=seed),
    }


def _mean(values: DoubleArray | Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
