"""What each thing in a picture of the world really does to a model's score: the picture is made again without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.engines import Report
from lumiscope.images import WorldImage
from lumiscope.runs import EffectRow, ExplanationRow, ImageRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches
from lumiscope.study.stages.measured_effects import MeasuredEffects
from lumiscope.trust import effect_rows

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy

IMAGES_AT_ONCE = 8


@dataclass(frozen=True)
class MeasureEffects(ImageTask):
    """Measure what the things in some pictures do to one model's score."""

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"effects on {self.model}: {self.items[0]}"

    def run(self, study: OpenStudy, report: Report) -> list[EffectRow]:
        """One row a thing, picture by picture."""
        stored = study.stored_maps[self.model]
        measured = MeasuredEffects(stored, study.memo)
        rows = []
        for item in study.explained(self.items):
            (saliency, *_) = stored.read(item)
            effects = measured.of(item, saliency.target)
            rows += [] if effects is None else effect_rows(self.model, item.id, saliency.target, effects)
        return rows


@stage("effects")
class Effects(Stage):
    """Measures true effects."""

    needs = (ImageRow, ExplanationRow)
    writes = (EffectRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With pictures of the world to explain, where trust is asked for."""
        return study.asks_for_trust and any(isinstance(item, WorldImage) for item in study.images or ())

    def tasks(self, study: OpenStudy, tables: Tables) -> list[MeasureEffects]:
        """Some pictures of a model at a time."""
        ids = [row.image for row in tables.rows(ImageRow)]
        return [MeasureEffects(model, batch) for model in study.plans for batch in batches(ids, IMAGES_AT_ONCE)]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows model by model."""
        rows = [row for batch in results.results for row in batch]
        return Collected({EffectRow: rows}, skipped=results.skipped("effect", study.images or ()))
