"""How far the maps can be believed: each judged by trust metrics, beside maps that know nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lumiscope.engines import Report
from lumiscope.runs import (
    ExplanationRow,
    ImageGroups,
    ImageRow,
    TrustCurveRow,
    TrustMetricRow,
    TrustRow,
    TrustSummaryRow,
)
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches
from lumiscope.study.stages.judged import Judged, trust_rows
from lumiscope.study.stages.judged_maps import JudgedMaps
from lumiscope.trust import METRICS

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy

IMAGES_AT_ONCE = 8
ASKED_AGAIN = 3  # images that methods explain again and again, which costs ten times what the maps did
WORSENED = 12  # images on which maps are made worse: it is about the metrics, not about every picture


@dataclass(frozen=True)
class JudgeMaps(ImageTask):
    """Judge one model's maps of some images.

    `worsened`: image -> the method whose map is made worse. `asked_again`: images that methods explain again.
    """

    worsened: Mapping[str, str] = field(default_factory=dict)
    asked_again: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"judging maps of {self.model}: {self.items[0]}"

    def run(self, study: OpenStudy, report: Report) -> tuple[str, list[Judged]]:
        """The model, and what became of each image."""
        judged = JudgedMaps(study.stored_maps[self.model], study.run.metrics, study.memo)
        return self.model, judged.judge(study.explained(self.items), self.worsened, self.asked_again, study.track)


@stage("trust")
class Trust(Stage):
    """Judges the maps."""

    needs = (ImageRow, ExplanationRow)
    writes = (TrustRow, TrustSummaryRow, TrustMetricRow, TrustCurveRow)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain, where that is asked for."""
        return study.asks_for_trust

    def check_settings(self, study: OpenStudy) -> None:
        """The metrics."""
        METRICS.select(study.run.metrics or ())

    def tasks(self, study: OpenStudy, tables: Tables) -> list[JudgeMaps]:
        """Some images of a model at a time; of the first few one method's map is made worse, each in its turn."""
        ids = [row.image for row in tables.rows(ImageRow)]
        again = frozenset(ids[:ASKED_AGAIN])
        tasks = []
        for model, plan in study.plans.items():
            methods = [method.name for method, _ in plan.methods]
            worsened = {image: methods[place % len(methods)] for place, image in enumerate(ids[:WORSENED])}
            tasks += [
                JudgeMaps(model, batch, {image: worsened[image] for image in batch if image in worsened}, again)
                for batch in batches(ids, IMAGES_AT_ONCE)
            ]
        return tasks

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Scores and their means, curves, and whether the metrics mean anything, model by model."""
        models: dict[str, list[Judged]] = {}
        for model, judged in results.results:
            models.setdefault(model, []).extend(judged)
        groups = ImageGroups.of(tables.rows(ImageRow))
        rows: dict[type[Any], list[Any]] = {row: [] for row in self.writes}
        for model, images in models.items():
            for kind, of_model in trust_rows(model, images, groups, study.run.seed).items():
                rows[kind] += of_model
        return Collected(rows, skipped=results.skipped("trust", study.images or ()))
