"""How far the methods agree, with each other and with the true masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.agreement import Agreement, compare_masks, summarise
from lumiscope.engines import Report
from lumiscope.runs import AgreementRow, AgreementSummaryRow, MaskRow, mask_from_arrays
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.uncut import UncutTask

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy

IMAGES_AT_ONCE = 32


@dataclass(frozen=True)
class CompareMasks(UncutTask):
    """Compare the masks of one model on some images."""

    model: str
    masks: tuple[tuple[MaskRow, ...], ...]

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"comparing maps of {self.model}: {self.masks[0][0].image}"

    @property
    def steps(self) -> int:
        """One for each image."""
        return len(self.masks)

    def run(self, study: OpenStudy, report: Report) -> list[AgreementRow]:
        """Every pair on every image."""
        pairs = []
        for rows in self.masks:
            image_masks = {
                row.method: (mask_from_arrays(study.memo.open(row.location).get(row.key)), row.rule) for row in rows
            }
            pairs += compare_masks(rows[0].image, image_masks)
        return Agreement(tuple(pairs), self.model).table_rows()


@stage("agreement")
class MaskAgreement(Stage):
    """Compares masks, image by image."""

    needs = (MaskRow,)
    writes = (AgreementRow, AgreementSummaryRow)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[CompareMasks]:
        """Some images of a model at a time."""
        models: dict[str, dict[str, list[MaskRow]]] = {}
        for row in tables.rows(MaskRow):
            models.setdefault(row.model, {}).setdefault(row.image, []).append(row)
        return [
            CompareMasks(model, tuple(map(tuple, batch)))
            for model, images in models.items()
            for batch in _batches(list(images.values()))
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows for images, and means over them."""
        rows = [row for batch in results.results for row in batch]
        return Collected({AgreementRow: rows, AgreementSummaryRow: summarise(rows, seed=study.run.seed)})


def _batches(images: Sequence[list[MaskRow]]) -> list[Sequence[list[MaskRow]]]:
    return [images[start : start + IMAGES_AT_ONCE] for start in range(0, len(images), IMAGES_AT_ONCE)]
