"""Do the explanations agree with each other, and with the true masks?"""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.report.numbers import defined
from lumiscope.report.overlaps import Overlap, overlaps
from lumiscope.report.page import Page
from lumiscope.report.parts.bar_key import BarKey
from lumiscope.report.registry import section
from lumiscope.runs import AgreementRow, AgreementSummaryRow, JudgementRow, models_with_foreign_masks


@dataclass(frozen=True)
class ModelOverlaps:
    """The mean overlaps of one model, highest first: of pairs of methods, and of methods with the true masks.

    `has_foreign_masks`: whether these masks show something else than the model's labels.
    """

    model: str
    methods: tuple[Overlap[AgreementSummaryRow], ...]
    truth: tuple[Overlap[AgreementSummaryRow], ...]
    has_foreign_masks: bool


@dataclass(frozen=True)
class Overlaps:
    """What the section shows. `undefined`: overlaps of single images that have no value."""

    models: tuple[ModelOverlaps, ...]
    undefined: tuple[AgreementRow, ...]
    key: BarKey


@section("agreement", title="Agreement", order=60, needs=(AgreementSummaryRow, AgreementRow))
def agreement(page: Page) -> Overlaps:
    """Means over the images from `agreement_summary`, and from `agreement` what is undefined."""
    rows = page.run.rows(AgreementSummaryRow)
    foreign = models_with_foreign_masks(page.run.rows(JudgementRow))
    models = []
    for model in dict.fromkeys(row.model for row in rows):
        pairs = overlaps((row for row in rows if row.model == model), page)
        truth = tuple(pair for pair in pairs if pair.is_with_truth)
        methods = tuple(pair for pair in pairs if not pair.is_with_truth)
        models.append(ModelOverlaps(model, methods, truth, model in foreign))
    undefined = tuple(row for row in page.run.rows(AgreementRow) if not defined(row.iou))
    return Overlaps(tuple(models), undefined, BarKey(has_interval=True))
