"""What the maps look like."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.agreement import MapShape, measure_map
from lumiscope.engines import Report
from lumiscope.runs import GROUND_TRUTH, VOID, MapShapeRow, MaskRow, mask_from_arrays
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches
from lumiscope.study.stages.masks import masks_by_image

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import BoolArray

IMAGES_AT_ONCE = 32


@dataclass(frozen=True)
class MeasureMaps(ImageTask):
    """Measure one model's maps of some images. `masks`: image -> its masks."""

    masks: Mapping[str, Sequence[MaskRow]]

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"measuring maps of {self.model}: {self.items[0]}"

    def run(self, study: OpenStudy, report: Report) -> list[MapShapeRow]:
        """One row a map, image by image."""
        stored = study.stored_maps[self.model]
        rows = []
        for item in study.explained(self.items):
            masks = {
                row.method: mask_from_arrays(study.memo.open(row.location).get(row.key)) for row in self.masks[item.id]
            }
            truth, void = masks.get(GROUND_TRUTH), masks.get(VOID)
            for saliency in stored.read(item):
                shape = measure_map(saliency.display(), truth, void)
                rows.append(
                    MapShapeRow(
                        model=self.model,
                        image=item.id,
                        method=saliency.method,
                        **dataclasses.asdict(shape),
                        covered=_covered(masks[saliency.method], truth, shape),
                    )
                )
        return rows


def _covered(mask: BoolArray, truth: BoolArray | None, shape: MapShape) -> float:
    """The share of the true mask that a map's mask covers; NaN where either is not there."""
    if truth is None or not truth.any() or math.isnan(shape.extent):
        return math.nan
    return float(mask[truth].mean())


@stage("map_shapes")
class MapShapes(Stage):
    """Measures the maps."""

    needs = (MaskRow,)
    writes = (MapShapeRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[MeasureMaps]:
        """Some images of a model at a time."""
        return [
            MeasureMaps(model, batch, {image: images[image] for image in batch})
            for model, images in masks_by_image(tables).items()
            for batch in batches(list(images), IMAGES_AT_ONCE)
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows model by model."""
        rows = [row for batch in results.results for row in batch]
        return Collected({MapShapeRow: rows}, skipped=results.skipped("map", study.images or ()))
