"""The pairs of methods that are compared, with what each shares on an image beyond different images."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lumiscope.runs import (
    GROUND_TRUTH,
    AgreementRow,
    AgreementSummaryRow,
    ImageGroups,
    JudgementRow,
    models_with_foreign_masks,
)
from lumiscope.study.findings.claim import Rows, by_model
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.titles import method_title, pair_title


@dataclass(frozen=True)
class Pairs:
    """The pairs of one model that are compared. `excess`: pair -> image -> IoU less that of different images."""

    model: str
    rows: dict[str, AgreementSummaryRow]
    excess: dict[str, dict[str, float]]
    foreign: bool
    groups: ImageGroups


def compared_pairs(tables: Rows, *, with_truth: bool) -> Iterator[Pairs]:
    """Of each model its pairs of methods, or its methods with the true masks, that any image defines."""
    groups = groups_of(tables)
    foreign = models_with_foreign_masks(tables.rows(JudgementRow))
    images = by_model(tables.rows(AgreementRow))
    for model, summary in by_model(tables.rows(AgreementSummaryRow)).items():
        compared = [row for row in summary if row.images and (row.method_b == GROUND_TRUTH) == with_truth]
        rows = {_title(row): row for row in compared}
        excess: dict[str, dict[str, float]] = {title: {} for title in rows}
        by_methods = {(row.method_a, row.method_b): excess[_title(row)] for row in compared}
        for row in images.get(model, ()):
            of_pair = by_methods.get((row.method_a, row.method_b))
            if of_pair is not None and not math.isnan(row.iou - row.other_images):
                of_pair[row.image] = row.iou - row.other_images
        if rows:
            yield Pairs(model, rows, excess, model in foreign, groups)


def _title(row: AgreementSummaryRow) -> str:
    if row.method_b == GROUND_TRUTH:
        return method_title(row.method_a)
    return pair_title(row.method_a, row.method_b)


def agreement_by_image(tables: Rows) -> dict[str, dict[str, float]]:
    """Model -> image -> how much more the pairs agree on it, beyond different images, than they do on average.

    The mean over the pairs that are defined on the image, each less its mean over images.
    """
    result: dict[str, dict[str, float]] = {}
    for pairs in compared_pairs(tables, with_truth=False):
        sums: dict[str, list[float]] = {}
        for of_images in pairs.excess.values():
            mean = math.fsum(of_images.values()) / max(1, len(of_images))
            for image, value in of_images.items():
                sums.setdefault(image, []).append(value - mean)
        result[pairs.model] = {image: math.fsum(values) / len(values) for image, values in sums.items()}
    return result
