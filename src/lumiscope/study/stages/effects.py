"""What each thing in a picture of the world really does to a model's score: the picture is made again without it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lumiscope.engines import Report
from lumiscope.images import WorldImage
from lumiscope.memo import Results as Kept
from lumiscope.runs import EffectRow, ExplanationRow, ImageRow
from lumiscope.store import from_json_array, json_array
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches
from lumiscope.trust import effect_rows, true_effects

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
        stored, kept = study.stored_maps[self.model], self._kept(study)
        rows, new = [], {}
        for item in study.explained(self.items):
            key = stored.key(item)
            if key in kept:
                rows += [EffectRow(**row) for row in from_json_array(kept.get(key)["rows"])]
                continue
            (saliency, *_) = stored.read(item)
            effects = true_effects(stored.plan.model, item, saliency.target)
            of_image = [] if effects is None else effect_rows(self.model, item.id, saliency.target, effects)
            new[key] = {"rows": json_array([asdict(row) for row in of_image])}
            rows += of_image
        if new:
            kept.put(new)
        return rows

    def _kept(self, study: OpenStudy) -> Kept:
        model = study.plans[self.model].model
        scope = {"model": model.fingerprint, "name": self.model}
        return study.memo.results("effects", scope, made_by=[true_effects, effect_rows, type(model)])


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
