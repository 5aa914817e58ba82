"""How far the maps agree, without masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.agreement import CellMap, cell_map, compare_maps, summarise_maps
from lumiscope.engines import Report
from lumiscope.images import edge_strength
from lumiscope.runs import ExplanationRow, ImageGroups, ImageRow, MapAgreementRow, MapAgreementSummaryRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches
from lumiscope.types import SegmentMap

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy

IMAGES_AT_ONCE = 32


@dataclass(frozen=True)
class ReadMaps(ImageTask):
    """Reduce one model's maps of some images to what is compared."""

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"comparing maps of {self.model} on cells: {self.items[0]}"

    def run(self, study: OpenStudy, report: Report) -> tuple[str, dict[str, dict[str, CellMap]]]:
        """The model, and image -> method -> what is kept of its map."""
        stored = study.stored_maps[self.model]
        result = {}
        for item in study.explained(self.items):
            edges = edge_strength(stored.plan.model.view(item).pixels)
            maps = stored.read(item)
            segments = next((saliency.segments for saliency in maps if isinstance(saliency, SegmentMap)), None)
            shown = {saliency.method: np.nan_to_num(saliency.display()) for saliency in maps}
            result[item.id] = {method: cell_map(values, edges, segments) for method, values in shown.items()}
        return self.model, result


@stage("map_agreement")
class MapAgreement(Stage):
    """Compares maps on cells and segments."""

    needs = (ImageRow, ExplanationRow)
    writes = (MapAgreementRow, MapAgreementSummaryRow)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[ReadMaps]:
        """Some images of each model with several methods."""
        images: dict[str, dict[str, None]] = {}
        for row in tables.rows(ExplanationRow):
            images.setdefault(row.model, {})[row.image] = None
        return [
            ReadMaps(model, batch)
            for model, of_model in images.items()
            if len(study.plans[model].methods) > 1
            for batch in batches(list(of_model), IMAGES_AT_ONCE)
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Every pair on every image, and means over them, model by model."""
        models: dict[str, dict[str, dict[str, CellMap]]] = {}
        for model, maps in results.results:
            models.setdefault(model, {}).update(maps)
        rows = [
            row
            for model, images in models.items()
            for image, maps in images.items()
            for row in compare_maps(model, image, maps)
        ]
        groups = ImageGroups.of(tables.rows(ImageRow))
        summary = [
            row
            for model, images in models.items()
            for row in summarise_maps(
                [row for row in rows if row.model == model], images, groups=groups, seed=study.run.seed
            )
        ]
        skipped = results.skipped("map", study.images or ())
        return Collected({MapAgreementRow: rows, MapAgreementSummaryRow: summary}, skipped=skipped)
