"""Network Dissection: the annotated concept that each unit of a layer detects, and whether that is more than chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.dissection.compositions import HeldOutComposition
from lumiscope.dissection.overlaps import Overlaps
from lumiscope.dissection.thresholds import Thresholds
from lumiscope.runs import CategoryBestRow, DetectorRow, NetworkDissectionRow, NoLabel
from lumiscope.statistics import benjamini_hochberg, counted_p_values
from lumiscope.types import BoolArray, DoubleArray, IntArray

IOU = 0.04  # Bau et al. 2017


@dataclass(frozen=True)
class NetworkDissection:
    """What the units of one layer detect; arrays with a row for each of U units, NaN where nothing is defined.

    `words` and `categories`: of the K concepts; a category is a kind of label maps. `threshold`: (U,), infinite for a
    unit that is left out, and `reason` says why (None for the others). `iou`: (U, K) dataset-wide intersection over
    union. `concept`: (U,) index of the concept with the highest IoU, the first of equal ones; -1: none overlaps.
    `best_iou`: (U,) the highest IoU. `detector`: (U,) whether that reaches `least_iou`.
    `p_value`: (U,) of the best IoU, among the best IoUs of all units with the annotations of other images. Units are
    pooled: their threshold lets all of them fire on equally large an area. `q_value`: the p-value adjusted over the
    layer (Benjamini and Hochberg). The detectors of the method need not be significant, nor the other way round.
    `compositions`: (U,) None where one word says as much, or none was searched for.
    """

    model: str
    layer: str
    words: tuple[str, ...]
    categories: tuple[str, ...]
    threshold: DoubleArray
    reason: tuple[NoLabel | None, ...]
    iou: DoubleArray
    concept: IntArray
    best_iou: DoubleArray
    least_iou: float
    p_value: DoubleArray
    q_value: DoubleArray
    compositions: tuple[HeldOutComposition | None, ...]

    def __len__(self) -> int:
        return len(self.reason)

    @property
    def detector(self) -> BoolArray:
        """(U,) bool: whether the best IoU reaches `least_iou`."""
        return np.asarray(self.best_iou >= self.least_iou)  # NaN reaches nothing

    @property
    def unique_detectors(self) -> tuple[int, ...]:
        """The concepts that some unit detects, each once, in the order of the concepts."""
        return tuple(sorted(set(self.concept[self.detector].tolist())))

    def best_of(self, category: str) -> tuple[IntArray, DoubleArray]:
        """(U,) index of the concept of one category with the highest IoU, -1 for none, and (U,) that IoU."""
        inside = np.array([name == category for name in self.categories])
        return _best(np.where(inside, self.iou, np.nan))


def name_detectors(
    thresholds: Thresholds,
    overlaps: Overlaps,
    *,
    model: str,
    layer: str,
    words: Sequence[str],
    categories: Sequence[str],
    least_iou: float = IOU,
    compositions: Sequence[HeldOutComposition | None] | None = None,
) -> NetworkDissection:
    """Name the concept that each unit detects: the highest of its IoUs. See `NetworkDissection`.

    Source: Bau, Zhou, Khosla, Oliva and Torralba 2017, Network Dissection, section 2.3; the test is our own.
    """
    left_out = np.array([reason is not None for reason in thresholds.reason])
    iou = np.where(left_out[:, None], np.nan, overlaps.iou)
    concept, best_iou = _best(iou)
    chance = overlaps.chance[:, ~left_out]
    chance = chance[np.isfinite(chance)]
    p_value = counted_p_values(best_iou, chance) if chance.size else np.full(len(best_iou), np.nan)
    return NetworkDissection(
        model=model,
        layer=layer,
        words=tuple(words),
        categories=tuple(categories),
        threshold=thresholds.values,
        reason=thresholds.reason,
        iou=iou,
        concept=concept,
        best_iou=best_iou,
        least_iou=least_iou,
        p_value=p_value,
        q_value=benjamini_hochberg(p_value),
        compositions=tuple(compositions) if compositions is not None else (None,) * len(left_out),
    )


def _best(iou: DoubleArray) -> tuple[IntArray, DoubleArray]:
    """The column of the highest value in each row and that value; -1 where nothing overlaps, NaN without a number."""
    known = np.where(np.isnan(iou), -1.0, iou)
    if not known.shape[1]:
        return np.full(len(iou), -1), np.full(len(iou), np.nan)
    concept = known.argmax(axis=1)
    best = known[np.arange(len(iou)), concept]
    return np.where(best > 0, concept, -1), np.where(best < 0, np.nan, best)


def network_dissection_rows(layers: Iterable[NetworkDissection]) -> list[NetworkDissectionRow]:
    """One row a unit; the threshold of a unit left out is None."""
    return [row for layer in layers for row in _unit_rows(layer)]


def _unit_rows(layer: NetworkDissection) -> Iterator[NetworkDissectionRow]:
    for unit, (reason, composition) in enumerate(zip(layer.reason, layer.compositions, strict=True)):
        concept, threshold = int(layer.concept[unit]), float(layer.threshold[unit])
        yield NetworkDissectionRow(
            model=layer.model,
            layer=layer.layer,
            unit=unit,
            threshold=threshold if math.isfinite(threshold) else None,
            concept=layer.words[concept] if concept >= 0 else None,
            category=layer.categories[concept] if concept >= 0 else None,
            iou=float(layer.best_iou[unit]),
            detector=bool(layer.detector[unit]),
            p_value=float(layer.p_value[unit]),
            q_value=float(layer.q_value[unit]),
            formula=None if composition is None else composition.text,
            formula_iou=None if composition is None else composition.iou,
            heldout_iou=None if composition is None else composition.heldout_iou,
            heldout_word_iou=None if composition is None else composition.heldout_word_iou,
            reason=None if reason is None else reason.reason,
            reason_detail=None if reason is None else reason.detail,
        )


def detector_rows(layers: Iterable[NetworkDissection]) -> list[DetectorRow]:
    """Units, detectors and unique detectors of each layer.

    A row for each category, in the order of the concepts, then one without a category for all of them.
    """
    rows = []
    for layer in layers:
        detected = [int(index) for index in layer.concept[layer.detector]]
        for category in (*dict.fromkeys(layer.categories), None):
            inside = [index for index in detected if category in (None, layer.categories[index])]
            rows.append(
                DetectorRow(
                    model=layer.model,
                    layer=layer.layer,
                    category=category,
                    units=len(layer),
                    detectors=len(inside),
                    unique_detectors=len(set(inside)),
                )
            )
    return rows


def category_rows(layers: Iterable[NetworkDissection]) -> list[CategoryBestRow]:
    """The best concept of every category for every unit.

    Left out: units that have a reason, and categories of which no concept overlaps with the unit.
    """
    rows = []
    for layer in layers:
        best = {category: layer.best_of(category) for category in dict.fromkeys(layer.categories)}
        for unit in range(len(layer)):
            for category, (concept, iou) in best.items():
                if concept[unit] >= 0:
                    word = layer.words[concept[unit]]
                    rows.append(
                        CategoryBestRow(
                            model=layer.model,
                            layer=layer.layer,
                            unit=unit,
                            category=category,
                            concept=word,
                            iou=float(iou[unit]),
                        )
                    )
    return rows
