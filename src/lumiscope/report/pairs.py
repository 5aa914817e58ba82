"""Overlap of two masks, on one image or over many, as a row with a bar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lumiscope.agreement import GROUND_TRUTH
from lumiscope.report.numbers import defined


@dataclass(frozen=True)
class Pair:
    """Two masks and how far they overlap; every number as it stands in the run's tables, None where it has none.

    `first`, `second`: titles of the methods. `low`, `high`, `p_value`, `images`: of a mean over images.
    `area_a`, `area_b`, `reason`: of one image.
    """

    first: str
    second: str
    against_truth: bool
    iou: float | None
    chance: float | None
    ceiling: float | None
    adjusted: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    images: int | None = None
    area_a: float | None = None
    area_b: float | None = None
    reason: str = ""

    @property
    def is_defined(self) -> bool:
        """Whether there is an IoU to draw."""
        return defined(self.iou)


def pairs_of(rows: Iterable[Mapping[str, Any]], titles: Mapping[str, str]) -> tuple[Pair, ...]:
    """Rows of `agreement` or `agreement_summary`, highest IoU first and undefined ones last."""
    pairs = [_pair(row, titles) for row in rows]
    return tuple(sorted(pairs, key=lambda pair: -pair.iou if defined(pair.iou) else float("inf")))


def _pair(row: Mapping[str, Any], titles: Mapping[str, str]) -> Pair:
    optional = ("low", "high", "p_value", "images", "area_a", "area_b")
    return Pair(
        first=titles.get(row["method_a"], row["method_a"]),
        second=titles.get(row["method_b"], row["method_b"]),
        against_truth=row["method_b"] == GROUND_TRUTH,
        **{name: row[name] for name in ("iou", "chance", "ceiling", "adjusted")},
        **{name: row[name] for name in optional if name in row},
        reason=row.get("reason") or "",
    )


def method_titles(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Method name -> the title that readers know it by."""
    titles = {name: method["title"] for name, method in (manifest.get("methods") or {}).items()}
    return {**titles, GROUND_TRUTH: "ground truth"}
