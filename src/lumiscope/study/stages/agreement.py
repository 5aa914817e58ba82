"""How far the methods agree, with each other and with the true masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.agreement import (
    Agreement,
    OtherImages,
    compare_masks,
    compare_other_images,
    summarise,
    with_other_images,
)
from lumiscope.engines import Report
from lumiscope.runs import AgreementRow, AgreementSummaryRow, ImageGroups, ImageRow, MaskRow, mask_from_arrays
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import batches
from lumiscope.study.stages.masks import masks_by_image
from lumiscope.study.stages.uncut import UncutTask

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import BoolArray

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
            image_masks = {row.method: (_mask(study, row), row.rule) for row in rows}
            pairs += compare_masks(rows[0].image, image_masks)
        return Agreement(tuple(pairs), self.model).table_rows()


@dataclass(frozen=True)
class CompareOtherImages(UncutTask):
    """Compare the masks of one model on different images. `masks`: image by image."""

    model: str
    masks: tuple[tuple[MaskRow, ...], ...]
    groups: ImageGroups
    seed: int

    @property
    def key(self) -> str:
        """The model."""
        return f"comparing maps of different images by {self.model}"

    def run(self, study: OpenStudy, report: Report) -> tuple[str, list[OtherImages]]:
        """Every pair of methods."""
        images = {rows[0].image: {row.method: _mask(study, row) for row in rows} for rows in self.masks}
        return self.model, compare_other_images(images, groups=self.groups, seed=self.seed)


def _mask(study: OpenStudy, row: MaskRow) -> BoolArray:
    return mask_from_arrays(study.memo.open(row.location).get(row.key))


@stage("agreement")
class MaskAgreement(Stage):
    """Compares masks, of one image and of different ones."""

    needs = (ImageRow, MaskRow)
    writes = (AgreementRow, AgreementSummaryRow)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[CompareMasks | CompareOtherImages]:
        """Some images of a model at a time, and one for all that it has."""
        groups = ImageGroups.of(tables.rows(ImageRow))
        by_model = {model: tuple(images.values()) for model, images in masks_by_image(tables).items()}
        return [
            *(
                CompareMasks(model, batch)
                for model, images in by_model.items()
                for batch in batches(images, IMAGES_AT_ONCE)
            ),
            *(CompareOtherImages(model, images, groups, study.run.seed) for model, images in by_model.items()),
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows for images, and means over them."""
        rows = [row for result in results.results if isinstance(result, list) for row in result]
        others: dict[str, list[OtherImages]] = dict(result for result in results.results if isinstance(result, tuple))
        rows, groups = with_other_images(rows, others), ImageGroups.of(tables.rows(ImageRow))
        summary = summarise(rows, others, groups=groups, seed=study.run.seed)
        return Collected({AgreementRow: rows, AgreementSummaryRow: summary})
