"""Whether two models look at the same places of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.agreement import compare_models
from lumiscope.engines import Report
from lumiscope.runs import GROUND_TRUTH, VOID, ImageGroups, ImageRow, MaskRow, ModelAgreementRow, mask_from_arrays
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.uncut import UncutTask

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import BoolArray


@dataclass(frozen=True)
class CompareModels(UncutTask):
    """Compare the masks of one method for several models that see the same view. `masks`: model -> those of images."""

    method: str
    masks: tuple[tuple[str, tuple[MaskRow, ...]], ...]
    image_groups: ImageGroups
    seed: int

    @property
    def key(self) -> str:
        """The method and the models."""
        return f"comparing {self.method} of {', '.join(model for model, _ in self.masks)}"

    def run(self, study: OpenStudy, report: Report) -> list[ModelAgreementRow]:
        """One row for each pair of models."""
        images: dict[str, dict[str, BoolArray]] = {}
        for model, rows in self.masks:
            for row in rows:
                mask = mask_from_arrays(study.memo.open(row.location).get(row.key))
                images.setdefault(row.image, {})[model] = mask
        return compare_models(self.method, images, groups=self.image_groups, seed=self.seed)


@stage("model_agreement")
class ModelAgreement(Stage):
    """Compares the masks of different models."""

    needs = (ImageRow, MaskRow)
    writes = (ModelAgreementRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain and several models."""
        return study.images is not None and len(study.models) > 1

    def tasks(self, study: OpenStudy, tables: Tables) -> list[CompareModels]:
        """One for each method and each group of models that see the same view."""
        image_groups = ImageGroups.of(tables.rows(ImageRow))
        views = {name: repr(model.geometry) for name, model in study.models.items()}
        groups: dict[tuple[str, str], dict[str, list[MaskRow]]] = {}
        for row in tables.rows(MaskRow):
            if row.method not in {GROUND_TRUTH, VOID}:
                groups.setdefault((row.method, views[row.model]), {}).setdefault(row.model, []).append(row)
        return [
            CompareModels(
                method, tuple((model, tuple(rows)) for model, rows in models.items()), image_groups, study.run.seed
            )
            for (method, _), models in groups.items()
            if len(models) > 1
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Method by method."""
        return Collected({ModelAgreementRow: [row for rows in results.results for row in rows]})
