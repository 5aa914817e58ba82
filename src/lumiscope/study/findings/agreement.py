"""Which methods agree because of the picture, which pairs most and least, and which covers the true masks best."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.attribution import METHODS
from lumiscope.runs import (
    GROUND_TRUTH,
    AgreementRow,
    AgreementSummaryRow,
    FindingRow,
    JudgementRow,
    models_with_foreign_masks,
)
from lumiscope.statistics import holm, sign_flip_test
from lumiscope.study.findings._claim import by_model, claim
from lumiscope.study.stage import Tables

SIGNIFICANCE = 0.05
PAIRING = "permutation of which images' masks belong together, Holm over all pairs"
EXTREME = (
    "paired sign-flip test of IoU less that of different images, against every other candidate (the largest p-value "
    "counts), Bonferroni over the candidates for either end"
)
Pair = tuple[str, str]


def agreement(tables: Tables) -> Iterator[FindingRow]:
    """Per model: what its pairs of methods share because of the picture, then the extremes, then the true masks."""
    foreign = models_with_foreign_masks(tables.rows(JudgementRow))
    rows = by_model(tables.rows(AgreementRow))
    for model, summary in by_model(tables.rows(AgreementSummaryRow)).items():
        corrected = holm(np.array([row.p_value for row in summary], np.float64))
        tested = [
            dataclasses.replace(row, p_value=float(p)) for row, p in zip(summary, corrected, strict=True) if row.images
        ]
        pairs = _Candidates.of([row for row in tested if row.method_b != GROUND_TRUTH], rows.get(model, ()))
        with_truth = _Candidates.of([row for row in tested if row.method_b == GROUND_TRUTH], rows.get(model, ()))
        if pairs.rows:
            yield _beyond(model, "pairs of methods agree", pairs.rows)
        if len(pairs.rows) > 1:
            yield _extreme(model, pairs, MOST)
            yield _extreme(model, pairs, LEAST)
        if with_truth.rows:
            finding = _beyond(model, "methods overlap the true masks", with_truth.rows)
            yield _hedged(finding) if model in foreign else finding
        if len(with_truth.rows) > 1:
            yield _extreme(model, with_truth, OVERLAPS if model in foreign else COVERS)


def _hedged(finding: FindingRow) -> FindingRow:
    hedge = "The masks show something else than its labels, so this tells where it looks, not whether that is right."
    return dataclasses.replace(finding, claim=f"{finding.claim} {hedge}")


@dataclass(frozen=True)
class _End:
    """One end of a ranking: 1 for the highest. `who` of how many `kind` may be there, and what it does (`verb`)."""

    sign: int
    who: str
    verb: str
    comes: str
    kind: str


MOST = _End(1, "which methods", "agree most", "come first", "pairs")
LEAST = _End(-1, "which methods", "agree least", "come last", "pairs")
COVERS = _End(1, "which method", "covers the true masks best", "comes first", "methods")
OVERLAPS = _End(1, "which method", "overlaps the true masks most", "comes first", "methods")


@dataclass(frozen=True)
class _Candidates:
    """What is compared. `excess`: of each row, image -> IoU less that of different images."""

    rows: list[AgreementSummaryRow]
    excess: dict[Pair, dict[str, float]]

    @classmethod
    def of(cls, summary: Sequence[AgreementSummaryRow], images: Sequence[AgreementRow]) -> _Candidates:
        excess: dict[Pair, dict[str, float]] = {_pair(row): {} for row in summary}
        for row in images:
            if _pair(row) in excess and not math.isnan(row.iou - row.other_images):
                excess[_pair(row)][row.image] = row.iou - row.other_images
        return cls(list(summary), excess)

    def mean(self, row: AgreementSummaryRow) -> float:
        """NaN where there is no image."""
        values = self.excess[_pair(row)].values()
        return math.fsum(values) / len(values) if values else math.nan


def _pair(row: AgreementRow | AgreementSummaryRow) -> Pair:
    return row.method_a, row.method_b


def _beyond(model: str, what: str, rows: Sequence[AgreementSummaryRow]) -> FindingRow:
    """How many of the rows share more than masks of different images do."""
    shown = [row for row in rows if row.p_value <= SIGNIFICANCE]
    images = max(row.images for row in rows)
    opening = f"{model}: {len(shown)} of {len(rows)} {what} beyond what masks of different images share"
    others = [row for row in rows if row not in shown]
    too_few = len(rows) / math.factorial(min(images, 20)) > SIGNIFICANCE
    if not shown and too_few:
        text = (
            f"{model}: whether {what} beyond what masks of different images share cannot be told with {images} images."
        )
    elif not shown:
        text = f"{opening}; with {images} images it is not shown of {_listed(others)}."
    elif others:
        text = f"{opening}: {_listed(shown)}. It is not shown of {_listed(others)}."
    else:
        text = f"{opening}: {_listed(shown)}."
    return claim(
        text,
        statistic="share of pairs",
        value=len(shown) / len(rows),
        test=PAIRING,
        p_value=max((row.p_value for row in shown), default=min(row.p_value for row in rows)),
        images=images,
        tables="agreement_summary",
    )


def _listed(rows: Sequence[AgreementSummaryRow], most: int = 3) -> str:
    named = [f"{_titles(row)} (IoU {row.iou:.2f}, on different images {row.other_images:.2f})" for row in rows[:most]]
    return ", ".join(named) + (f" and {len(rows) - most} more" if len(rows) > most else "")


def _extreme(model: str, candidates: _Candidates, end: _End) -> FindingRow:
    """The row at one end, named as such only where it is shown to lie beyond each of the others."""
    known = [row for row in candidates.rows if not math.isnan(candidates.mean(row))]
    first = max(known or candidates.rows, key=lambda row: end.sign * candidates.mean(row))
    images = len(candidates.excess[_pair(first)])
    p_values = [_ahead(candidates.excess, _pair(first), _pair(row), end.sign) for row in known if row is not first]
    p_value = min(1.0, 2 * len(known) * max(p_values)) if p_values else math.nan
    numbers = f"mean IoU {first.iou:.2f}, on different images {first.other_images:.2f}"
    if p_value <= SIGNIFICANCE:
        text = f"{model}: {_titles(first)} {end.verb}: {numbers}."
    elif 2 * len(known) / 2.0**images > SIGNIFICANCE:
        text = f"{model}: {end.who} {end.verb} cannot be told with {images} images."
    else:
        text = (
            f"{model}: {end.who} {end.verb} is not shown: {_titles(first)} {end.comes} of {len(known)} {end.kind} "
            f"({numbers}), as one would even if all were alike."
        )
    return claim(
        text,
        statistic="IoU less that of different images",
        value=candidates.mean(first),
        test=EXTREME,
        p_value=None if math.isnan(p_value) else p_value,
        images=images,
        tables="agreement, agreement_summary",
    )


def _ahead(excess: Mapping[Pair, Mapping[str, float]], first: Pair, other: Pair, sign: int) -> float:
    shared = [image for image in excess[first] if image in excess[other]]
    return sign_flip_test([sign * (excess[first][image] - excess[other][image]) for image in shared])


def _titles(row: AgreementSummaryRow) -> str:
    if row.method_b == GROUND_TRUTH:
        return METHODS[row.method_a].title
    return f"{METHODS[row.method_a].title} and {METHODS[row.method_b].title}"
