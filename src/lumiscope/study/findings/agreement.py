"""Which methods agree most and least, and which covers the true masks best."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from lumiscope.attribution import METHODS
from lumiscope.runs import GROUND_TRUTH, AgreementSummaryRow, FindingRow, JudgementRow, models_with_foreign_masks
from lumiscope.statistics import holm
from lumiscope.study.findings._claim import by_model, claim
from lumiscope.study.stage import Tables


def agreement(tables: Tables) -> Iterator[FindingRow]:
    """Per model the pairs of methods that agree most and least, and the method that covers the true masks best.

    They are chosen among all pairs, so their p-values are corrected for all pairs (Holm).
    """
    foreign = models_with_foreign_masks(tables.rows(JudgementRow))
    for model, summary in by_model(tables.rows(AgreementSummaryRow)).items():
        corrected = holm(np.array([row.p_value for row in summary], np.float64))
        rows = [
            dataclasses.replace(row, p_value=float(p)) for row, p in zip(summary, corrected, strict=True) if row.images
        ]
        pairs = [row for row in rows if row.method_b != GROUND_TRUTH]
        against_truth = [row for row in rows if row.method_b == GROUND_TRUTH]
        if pairs:
            yield _iou_claim(pairs[0], f"{model}: {_titles(pairs[0])} agree most")
        if len(pairs) > 1:
            yield _iou_claim(pairs[-1], f"{model}: {_titles(pairs[-1])} agree least")
        if against_truth:
            yield _truth_claim(against_truth[0], foreign=model in foreign)


def _truth_claim(row: AgreementSummaryRow, *, foreign: bool) -> FindingRow:
    title = METHODS[row.method_a].title
    if not foreign:
        return _iou_claim(row, f"{row.model}: {title} covers the true masks best")
    finding = _iou_claim(row, f"{row.model}: {title} overlaps the true masks most")
    hedge = "The masks show something else than its labels, so this tells where it looks, not whether that is right."
    return dataclasses.replace(finding, claim=f"{finding.claim} {hedge}")


def _titles(pair: AgreementSummaryRow) -> str:
    return f"{METHODS[pair.method_a].title} and {METHODS[pair.method_b].title}"


def _iou_claim(row: AgreementSummaryRow, opening: str) -> FindingRow:
    verdict = "above" if row.p_value < 0.05 else "not shown to be above"
    return claim(
        f"{opening}: mean IoU {row.iou:.2f}, {verdict} the {row.chance:.2f} of masks of these areas placed at "
        f"random; areas alone allow {row.ceiling:.2f} at most.",
        statistic="mean IoU",
        value=row.iou,
        low=row.low,
        high=row.high,
        test="95 % bootstrap interval over images; sign-flip permutation test against chance, Holm over all pairs",
        p_value=row.p_value,
        images=row.images,
        tables="agreement_summary",
    )
