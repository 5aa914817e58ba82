"""How the methods differ in extent, sharpness, and in what they say of the object."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lumiscope.agreement import method_differences, method_ranks, shared_images
from lumiscope.runs import (
    GROUND_TRUTH,
    AgreementRow,
    ImageRow,
    MapShapeRow,
    MethodDifferenceRow,
    MethodRankRow,
)
from lumiscope.study.findings import groups_of
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy

MEASURES = ("extent", "sharpness", "inside")
TRUTH = "truth"
Scores = dict[str, dict[str, float]]


@stage("method_differences")
class MethodDifferences(Stage):
    """Compares the methods by what their maps are like."""

    needs = (ImageRow, MapShapeRow, AgreementRow)
    writes = (MethodDifferenceRow, MethodRankRow)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Pairs and ranks, model by model and measure by measure."""
        differences: list[MethodDifferenceRow] = []
        ranks: list[MethodRankRow] = []
        groups = groups_of(tables)
        for model, measure, scores in _scores(tables):
            of_images = groups(shared_images(scores))
            differences += method_differences(model, measure, scores, of_images, seed=study.run.seed)
            ranks += method_ranks(model, measure, scores, of_images, seed=study.run.seed)
        return Collected({MethodDifferenceRow: differences, MethodRankRow: ranks})


def _scores(tables: Tables) -> Iterator[tuple[str, str, Scores]]:
    """Model, measure, and method -> image -> value."""
    values: dict[tuple[str, str], Scores] = {}
    for shape in tables.rows(MapShapeRow):
        for measure in MEASURES:
            _add(values, shape.model, measure, shape.method, shape.image, getattr(shape, measure))
    for pair in tables.rows(AgreementRow):
        if pair.method_b == GROUND_TRUTH:
            _add(values, pair.model, TRUTH, pair.method_a, pair.image, pair.iou)
    for (model, measure), scores in values.items():
        yield model, measure, scores


def _add(
    values: dict[tuple[str, str], Scores], model: str, measure: str, method: str, image: str, value: float
) -> None:
    if not math.isnan(value):
        values.setdefault((model, measure), {}).setdefault(method, {})[image] = value
