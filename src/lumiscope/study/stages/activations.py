"""The activations of all models on the probing images; an image on which one model fails is left out for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.engines import Report
from lumiscope.runs import ProbingImageRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches
from lumiscope.study.stages.stored_activations import SHARD, StoredActivations

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy


@dataclass(frozen=True)
class ReadActivations(ImageTask):
    """Run one model on a planned shard of probing images and keep what its dissected layers give."""

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"activations of {self.model}: {self.items[0]}"

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """The images that the model must look at."""
        return activations_of(study, self.model, self.items).lacking()

    def run(self, study: OpenStudy, report: Report) -> None:
        """Compute what is missing."""
        activations_of(study, self.model, self.items).compute()


@stage("activations")
class Activations(Stage):
    """Reads the activations; says which probing images all models could look at."""

    writes = (ProbingImageRow,)
    patience = SHARD  # where none of the first shard works, the fault is not the images'

    def applies(self, study: OpenStudy) -> bool:
        """With probing images."""
        return study.probe is not None

    def check(self, study: OpenStudy) -> None:
        """The layers of every model."""
        for model in study.dissectable.values():
            model.check_layers(study.dissect.layers)

    def tasks(self, study: OpenStudy, tables: Tables) -> list[ReadActivations]:
        """One for each model and planned shard of images."""
        ids = [item.id for item in study.probe or ()]
        return [
            ReadActivations(name, shard)
            for name, layers in study.layers.items()
            if layers
            for shard in batches(ids, SHARD)
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """The images that no model failed on."""
        skipped = results.skipped("probing image", study.probe or ())
        failed = {failure.item for failure in results.failures}
        rows = [
            ProbingImageRow(image=item.id, file=item.name, path=item.address, sha256=item.sha256)
            for item in study.probe or ()
            if item.id not in failed
        ]
        named = "; ".join(f"{row.name}: {row.reason}" for row in skipped)
        count = "1 probing image was" if len(failed) == 1 else f"{len(failed)} probing images were"
        notes = (f"{count} left out of everything ({named}).",) if failed else ()
        return Collected({ProbingImageRow: rows}, {"similarity_notes": notes}, skipped)


def activations_of(study: OpenStudy, model: str, ids: Sequence[str]) -> StoredActivations:
    """What is kept of one model's activations on some probing images."""
    return StoredActivations(
        study.dissectable[model],
        study.layers[model],
        study.dissect.pooling,
        study.probed(ids).items,
        study.memo,
        study.memo.folder,
    )
