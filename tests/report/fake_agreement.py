"""The masks of the fake run compared: the same numbers as the study's, by a few plain lines."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lumiscope.runs import GROUND_TRUTH, AgreementRow, AgreementSummaryRow
from lumiscope.testing import fake_row
from lumiscope.types import BoolArray, SaliencyMap, SegmentMap


def method_mask(saliency: SaliencyMap) -> BoolArray:
    """The ten best segments of LIME; of other maps what reaches half of the maximum, and nothing where that is 0."""
    if isinstance(saliency, SegmentMap):
        best = np.argsort(-saliency.coefficients)[:10]
        return np.isin(saliency.segments, best[saliency.coefficients[best] > 0])
    values = saliency.values
    return (values >= 0.5 * values.max()) & (values > 0)


def agreement_rows(
    masks: Mapping[tuple[str, str, str], BoolArray], models: Sequence[str], images: Sequence[str]
) -> dict[type[Any], list[Any]]:
    """The tables `agreement` and `agreement_summary`. `masks`: by model, image and method."""
    rows = [row for model in models for image in images for row in _pairs(masks, model, image)]
    pairs = dict.fromkeys((row.model, row.method_a, row.method_b) for row in rows)
    return {AgreementRow: rows, AgreementSummaryRow: [_summary(pair, rows) for pair in pairs]}


def _pairs(masks: Mapping[tuple[str, str, str], BoolArray], model: str, image: str) -> list[AgreementRow]:
    mine = {method: mask for (name, item, method), mask in masks.items() if (name, item) == (model, image)}
    methods = sorted(mine, key=lambda method: method == GROUND_TRUTH)  # the true mask last
    return [
        _overlap(model, image, (first, second), (mine[first], mine[second]))
        for first, second in itertools.combinations(methods, 2)
    ]


def _overlap(model: str, image: str, methods: tuple[str, str], masks: tuple[BoolArray, BoolArray]) -> AgreementRow:
    area_a, area_b = (float(mask.mean()) for mask in masks)
    is_empty = area_a == area_b == 0
    union = (masks[0] | masks[1]).mean()
    iou = math.nan if is_empty else float((masks[0] & masks[1]).mean() / union)
    chance = math.nan if is_empty else area_a * area_b / (area_a + area_b - area_a * area_b)
    ceiling = math.nan if is_empty else min(area_a, area_b) / max(area_a, area_b)
    room = ceiling - chance
    return fake_row(
        AgreementRow,
        **{"model": model, "image": image, "method_a": methods[0], "method_b": methods[1]},
        **{"iou": iou, "area_a": area_a, "area_b": area_b, "chance": chance, "ceiling": ceiling},
        other_images=1.25 * chance,
        adjusted=(iou - chance) / room if room > 0 else math.nan,
        reason="both masks are empty" if is_empty else "",
    )


def _summary(pair: tuple[str, str, str], rows: Sequence[AgreementRow]) -> AgreementSummaryRow:
    model, first, second = pair
    defined = [row for row in rows if (row.model, row.method_a, row.method_b) == pair and not math.isnan(row.iou)]
    means = {
        name: float(np.nanmean([getattr(row, name) for row in defined]))
        for name in ("iou", "other_images", "chance", "ceiling", "adjusted")
    }
    return AgreementSummaryRow(
        **{"model": model, "method_a": first, "method_b": second, "images": len(defined)},
        **means,
        low=min(row.iou for row in defined),
        high=max(row.iou for row in defined),
        p_value=0.0004 if means["iou"] > 0.5 else 0.2,
    )
