"""Overlap of two masks, on one image or over many, under the titles that readers know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from lumiscope.report.numbers import defined
from lumiscope.report.parts.bar import Bar
from lumiscope.runs import GROUND_TRUTH, AgreementRow, AgreementSummaryRow

if TYPE_CHECKING:
    from lumiscope.report.page import Page

Row = TypeVar("Row", AgreementRow, AgreementSummaryRow)


@dataclass(frozen=True)
class Overlap(Generic[Row]):
    """Two masks and how far they overlap. `title`: both methods."""

    title: str
    row: Row

    @property
    def is_with_truth(self) -> bool:
        """Whether one of them is the true mask."""
        return self.row.method_b == GROUND_TRUTH

    @property
    def bar(self) -> Bar:
        """The IoU as a bar, with a mark where the masks of different images are; that of a mean has an interval."""
        low, high = (self.row.low, self.row.high) if isinstance(self.row, AgreementSummaryRow) else (None, None)
        return Bar(self.row.iou, low, high, self.row.other_images, self.row.ceiling)


def overlaps(rows: Iterable[Row], page: Page) -> tuple[Overlap[Row], ...]:
    """Overlaps with the titles of their methods, highest IoU first and undefined ones last."""
    ordered = sorted(rows, key=lambda row: -row.iou if defined(row.iou) else float("inf"))
    return tuple(
        Overlap(f"{page.method_title(row.method_a)} × {page.method_title(row.method_b)}", row) for row in ordered
    )
