"""Where the units that are shown fire, as boxes to crop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lumiscope.dissection import crop_box, shown_images
from lumiscope.engines import Report
from lumiscope.runs import ProbingImageRow, ShownUnitRow, UnitCropRow, UnitRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import batches
from lumiscope.study.stages.unit_maps import SHARD, UnitMaps

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import FloatArray

Wanted = tuple[tuple[str, tuple[int, ...]], ...]
"""(image, units to be shown on it), each image once."""


@dataclass(frozen=True)
class CropUnits:
    """Find where units of one layer fire on some images."""

    model: str
    layer: str
    wanted: Wanted

    @property
    def key(self) -> str:
        """Layer and first image."""
        return f"crops of {self.model}: {self.layer}: {self.wanted[0][0]}"

    @property
    def items(self) -> tuple[str, ...]:
        """The images."""
        return tuple(image for image, _ in self.wanted)

    @property
    def subject(self) -> str:
        """The model."""
        return self.model

    @property
    def steps(self) -> int:
        """One for each image."""
        return len(self.wanted)

    def part(self, items: Sequence[str]) -> CropUnits:
        """The same for some of the images."""
        return replace(self, wanted=tuple(pair for pair in self.wanted if pair[0] in items))

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """The images on which the map of some unit is missing."""
        maps = self._maps(study)
        pairs = zip(study.probed(self.items), self.wanted, strict=True)
        return [item for item, (_, units) in pairs if maps.has_maps and maps.lacking(item, units)]

    def run(self, study: OpenStudy, report: Report) -> list[UnitCropRow]:
        """A box for each unit and image; none where the unit fires everywhere, or the layer has no maps."""
        maps = self._maps(study)
        if not maps.has_maps:
            return []
        wanted = {item: units for item, (_, units) in zip(study.probed(self.items), self.wanted, strict=True)}
        maps.compute(wanted)
        size = study.model(self.model).geometry.input_size
        return [
            row
            for item, units in wanted.items()
            for unit in units
            for row in self._boxes(item.id, unit, maps.get(item, unit), size)
        ]

    def _maps(self, study: OpenStudy) -> UnitMaps:
        return UnitMaps(study.dissectable[self.model], self.layer, study.memo)

    def _boxes(self, image: str, unit: int, unit_map: FloatArray, size: tuple[int, int]) -> Iterator[UnitCropRow]:
        height, width = size
        left, top, right, bottom = crop_box(unit_map, size)
        if (left, top, right, bottom) != (0, 0, width, height):
            yield UnitCropRow(
                model=self.model,
                layer=self.layer,
                unit=unit,
                image=image,
                left=left / width,
                top=top / height,
                right=right / width,
                bottom=bottom / height,
            )


@stage("unit_crops")
class UnitCrops(Stage):
    """Crops the pictures of the units that are shown."""

    needs = (ProbingImageRow, UnitRow, ShownUnitRow)
    writes = (UnitCropRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With probing images."""
        return study.probe is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[CropUnits]:
        """One for each layer and planned shard of images."""
        images = [row.image for row in tables.rows(ProbingImageRow)]
        return [task for shown in _layers(tables) for task in crop_tasks(shown, images)]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows in the order in which units are shown, and their images."""
        boxes = {(row.model, row.layer, row.unit, row.image): row for rows in results.results for row in rows}
        ordered = [
            boxes[unit.model, unit.layer, unit.unit, image]
            for shown in _layers(tables)
            for unit in shown
            for image in shown_images(unit)
            if (unit.model, unit.layer, unit.unit, image) in boxes
        ]
        return Collected({UnitCropRow: ordered})


def _layers(tables: Tables) -> list[list[UnitRow]]:
    """The units that are shown, layer by layer."""
    rows = {(row.model, row.layer, row.unit): row for row in tables.rows(UnitRow)}
    layers: dict[tuple[str, str], list[UnitRow]] = {}
    for shown in tables.rows(ShownUnitRow):
        unit = rows[shown.model, shown.layer, shown.unit]
        layers.setdefault((unit.model, unit.layer), []).append(unit)
    return list(layers.values())


def crop_tasks(units: Sequence[UnitRow], images: Iterable[str]) -> list[CropUnits]:
    """What finds where units of one layer fire on the images that show them. `images`: ids, in order."""
    wanted: dict[str, list[int]] = {image: [] for image in images}
    for unit in units:
        for image in shown_images(unit):
            if image in wanted:
                wanted[image].append(unit.unit)
    pairs = [(image, tuple(numbers)) for image, numbers in wanted.items() if numbers]
    first = units[0]
    return [CropUnits(first.model, first.layer, batch) for batch in batches(pairs, SHARD)]
