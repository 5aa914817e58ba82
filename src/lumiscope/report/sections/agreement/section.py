"""Do the explanations agree with each other, and with the true masks?"""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.report.numbers import defined
from lumiscope.report.overlaps import Overlap, overlaps
from lumiscope.report.page import Page
from lumiscope.report.parts.bar_key import BarKey
from lumiscope.report.registry import section
from lumiscope.runs import (
    AgreementRow,
    AgreementSummaryRow,
    JudgementRow,
    MapAgreementRow,
    MapAgreementSummaryRow,
    SelfAgreementRow,
    models_with_foreign_masks,
)

TOPS = ("top_5", "top_10", "top_20", "top_30", "top_50")


@dataclass(frozen=True)
class CellTable:
    """Rank correlations on cells. `methods`: rows and columns of the matrix. `rows`: of its upper half, by place."""

    methods: tuple[str, ...]
    rows: dict[tuple[int, int], MapAgreementSummaryRow]

    @property
    def pairs(self) -> list[tuple[str, MapAgreementSummaryRow, str, str]]:
        """Each pair with its title and two curves of top-k agreement, as the points of an SVG of 100 by 40.

        One is of the same images, the other of different ones.
        """
        return [
            (f"{self.methods[a]} × {self.methods[b]}", row, _curve(row), _curve(row, "_other_images"))
            for (a, b), row in self.rows.items()
        ]


def _curve(row: MapAgreementSummaryRow, of: str = "") -> str:
    points = [(int(name.removeprefix("top_")), getattr(row, name + of)) for name in TOPS]
    return " ".join(f"{2 * share},{40 - 40 * value:.1f}" for share, value in points if defined(value))


@dataclass(frozen=True)
class ModelOverlaps:
    """The mean overlaps of one model, highest first: of pairs of methods, and of methods with the true masks.

    `has_foreign_masks`: whether these masks show something else than the model's labels. `cells`: without masks.
    `repeated`: random methods with themselves.
    """

    model: str
    methods: tuple[Overlap[AgreementSummaryRow], ...]
    truth: tuple[Overlap[AgreementSummaryRow], ...]
    has_foreign_masks: bool
    cells: CellTable | None
    repeated: tuple[tuple[str, SelfAgreementRow], ...]


@dataclass(frozen=True)
class Overlaps:
    """What the section shows. `undefined`: overlaps of single images that have no value."""

    models: tuple[ModelOverlaps, ...]
    undefined: tuple[AgreementRow, ...]
    key: BarKey


NEEDS = (AgreementSummaryRow, AgreementRow, MapAgreementSummaryRow, MapAgreementRow, SelfAgreementRow)


@section("agreement", title="Agreement", order=60, needs=NEEDS)
def agreement(page: Page) -> Overlaps:
    """Means over the images from `agreement_summary`, and from `agreement` what is undefined."""
    rows = page.run.rows(AgreementSummaryRow)
    foreign = models_with_foreign_masks(page.run.rows(JudgementRow))
    models = []
    for model in dict.fromkeys(row.model for row in rows):
        pairs = overlaps((row for row in rows if row.model == model), page)
        truth = tuple(pair for pair in pairs if pair.is_with_truth)
        methods = tuple(pair for pair in pairs if not pair.is_with_truth)
        models.append(
            ModelOverlaps(model, methods, truth, model in foreign, _cells(page, model), _repeated(page, model))
        )
    undefined = tuple(row for row in page.run.rows(AgreementRow) if not defined(row.iou))
    return Overlaps(tuple(models), undefined, BarKey(has_interval=True))


def _cells(page: Page, model: str) -> CellTable | None:
    rows = [row for row in page.run.rows(MapAgreementSummaryRow) if row.model == model]
    methods = list(dict.fromkeys(method for row in rows for method in (row.method_a, row.method_b)))
    placed = {(methods.index(row.method_a), methods.index(row.method_b)): row for row in rows}
    return CellTable(tuple(map(page.method_title, methods)), placed) if rows else None


def _repeated(page: Page, model: str) -> tuple[tuple[str, SelfAgreementRow], ...]:
    rows = page.run.rows(SelfAgreementRow)
    return tuple((page.method_title(row.method), row) for row in rows if row.model == model)
