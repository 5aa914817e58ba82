"""What the maps look like."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lumiscope.agreement import MapShape, measure_map
from lumiscope.engines import Report
from lumiscope.runs import GROUND_TRUTH, VOID, MapShapeRow, MaskRow, mask_from_arrays
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import BoolArray

IMAGES_AT_ONCE = 32


@dataclass(frozen=True)
class MeasureMaps:
    """Measure one model's maps of some images. `masks`: those of each image."""

    model: str
    masks: tuple[tuple[MaskRow, ...], ...]

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"measuring maps of {self.model}: {self.items[0]}"

    @property
    def items(self) -> tuple[str, ...]:
        """The images."""
        return tuple(rows[0].image for rows in self.masks)

    @property
    def subject(self) -> str:
        """The model."""
        return self.model

    @property
    def steps(self) -> int:
        """One for each image."""
        return len(self.masks)

    def part(self, items: Sequence[str]) -> MeasureMaps:
        """The same for some of the images."""
        return replace(self, masks=tuple(rows for rows in self.masks if rows[0].image in set(items)))

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """No image is looked at."""
        return ()

    def run(self, study: OpenStudy, report: Report) -> list[MapShapeRow]:
        """One row a map, image by image."""
        stored = study.stored_maps[self.model]
        rows = []
        for item, of_image in zip(study.explained(self.items), self.masks, strict=True):
            masks = {row.method: mask_from_arrays(study.memo.open(row.location).get(row.key)) for row in of_image}
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
        models: dict[str, dict[str, list[MaskRow]]] = {}
        for row in tables.rows(MaskRow):
            models.setdefault(row.model, {}).setdefault(row.image, []).append(row)
        return [
            MeasureMaps(model, tuple(map(tuple, batch)))
            for model, images in models.items()
            for batch in _batches(list(images.values()))
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows model by model."""
        rows = [row for batch in results.results for row in batch]
        return Collected({MapShapeRow: rows}, skipped=results.skipped("map", study.images or ()))


def _batches(images: list[list[MaskRow]]) -> list[list[list[MaskRow]]]:
    return [images[start : start + IMAGES_AT_ONCE] for start in range(0, len(images), IMAGES_AT_ONCE)]
