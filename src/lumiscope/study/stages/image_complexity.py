"""How complex the images are."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.engines import Report
from lumiscope.images import DECODERS, Complexity, measure_complexity
from lumiscope.memo import Results as Kept
from lumiscope.runs import ImageComplexityRow, ImageRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy

IMAGES_AT_ONCE = 32
MEASURES = tuple(field.name for field in dataclasses.fields(Complexity))


@dataclass(frozen=True)
class MeasureImages(ImageTask):
    """Measure some images."""

    @property
    def key(self) -> str:
        """The first image."""
        return f"measuring images: {self.items[0]}"

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """Those that were not measured before."""
        kept = _kept(study)
        return [item for item in study.explained(self.items) if _key(item) not in kept]

    def run(self, study: OpenStudy, report: Report) -> list[ImageComplexityRow]:
        """One row an image."""
        kept, items = _kept(study), study.explained(self.items)
        new = {}
        for item in items:
            if _key(item) not in kept:
                measured = measure_complexity(item.pixels, item.mask if item.has_mask else None)
                new[_key(item)] = {"measures": np.array([getattr(measured, name) for name in MEASURES])}
        if new:
            kept.put(new)
        return [
            ImageComplexityRow(
                image=item.id,
                **dict(zip(MEASURES, map(float, kept.get(_key(item))["measures"]), strict=True)),
            )
            for item in items
        ]


def _kept(study: OpenStudy) -> Kept:
    return study.memo.results("image_complexity", {}, made_by=[measure_complexity, *DECODERS])


def _key(item: ImageItem) -> str:
    return f"{item.sha256} {item.mask_sha256 if item.has_mask else ''}"


@stage("image_complexity")
class ImageComplexity(Stage):
    """Measures the images."""

    needs = (ImageRow,)
    writes = (ImageComplexityRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[MeasureImages]:
        """Some images at a time."""
        ids = [row.image for row in tables.rows(ImageRow)]
        return [MeasureImages("", batch) for batch in batches(ids, IMAGES_AT_ONCE)]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """One row an image; what is said of one that could not be measured."""
        rows = [row for batch in results.results for row in batch]
        return Collected({ImageComplexityRow: rows}, skipped=results.skipped("measure", study.images or ()))
