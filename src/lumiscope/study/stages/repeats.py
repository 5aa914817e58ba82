"""Methods that draw at random, once more with other seeds: how far they agree with themselves."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.agreement import cell_map, make_mask, overlap, rank_likeness
from lumiscope.engines import Report
from lumiscope.runs import ExplanationRow, ImageGroups, ImageRow, SelfAgreementRow
from lumiscope.statistics import mean_interval, mean_of_known
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches
from lumiscope.study.stages.stored_maps import StoredMaps

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import SaliencyMap

IMAGES = 10  # that are repeated at most: it is about the method, not about every picture
IMAGES_AT_ONCE = 4


@dataclass(frozen=True)
class Repeated:
    """One method on one image: mean IoU of its masks, and rank correlation of its maps, over pairs of seeds.

    NaN where undefined.
    """

    model: str
    image: str
    method: str
    iou: float
    cells: float


@dataclass(frozen=True)
class RepeatMaps(ImageTask):
    """Explain some images with other seeds. `repeats`: how many."""

    repeats: int

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"repeating with {self.model}: {self.items[0]}"

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """The images of which a map is missing."""
        items = study.explained(self.items)
        missing = {image for stored in self._stored(study) for image in stored.missing(items)}
        return [item for item in items if item.id in missing]

    def run(self, study: OpenStudy, report: Report) -> list[Repeated]:
        """One for each method and image."""
        items = study.explained(self.items)
        first, others = study.stored_maps[self.model], self._stored(study)
        for stored in others:
            stored.compute(items, track=study.track)
        return [
            _compared(self.model, item.id, [stored.read_one(item, method.name) for stored in (first, *others)], rule)
            for method, _ in others[0].plan.methods
            for rule in [first.plan.mask_rules[method.name]]
            for item in items
        ]

    def _stored(self, study: OpenStudy) -> list[StoredMaps]:
        """Of each further seed."""
        plan = study.plans[self.model]
        return [
            StoredMaps(replace(plan, methods=plan.drawing, seed=plan.seed + repeat), study.memo)
            for repeat in range(1, self.repeats + 1)
        ]


def _compared(model: str, image: str, maps: Sequence[SaliencyMap], rule: str) -> Repeated:
    """One method on one image, under each seed."""
    flat = np.zeros(maps[0].values.shape, np.float32)
    masks = [make_mask(saliency, rule) for saliency in maps]
    cells = [cell_map(np.nan_to_num(saliency.display()), flat) for saliency in maps]
    return Repeated(
        model,
        image,
        maps[0].method,
        iou=mean_of_known([overlap(a, b).iou for a, b in itertools.combinations(masks, 2)]),
        cells=mean_of_known([rank_likeness(a, b) for a, b in itertools.combinations(cells, 2)]),
    )


@stage("repeats")
class Repeats(Stage):
    """Repeats what is random."""

    needs = (ImageRow, ExplanationRow)
    writes = (SelfAgreementRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain, unless nothing is to be repeated."""
        return study.images is not None and study.run.repeats > 0

    def tasks(self, study: OpenStudy, tables: Tables) -> list[RepeatMaps]:
        """Some images of each model with such a method."""
        ids = list(dict.fromkeys(row.image for row in tables.rows(ExplanationRow)))[:IMAGES]
        return [
            RepeatMaps(model, batch, study.run.repeats)
            for model, plan in study.plans.items()
            if plan.drawing
            for batch in batches(ids, IMAGES_AT_ONCE)
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Means over the images."""
        methods: dict[tuple[str, str], list[Repeated]] = {}
        for repeated in (repeated for batch in results.results for repeated in batch):
            methods.setdefault((repeated.model, repeated.method), []).append(repeated)
        rows, groups = [], ImageGroups.of(tables.rows(ImageRow))
        for (model, method), of_images in methods.items():
            iou = {repeated.image: repeated.iou for repeated in of_images if not math.isnan(repeated.iou)}
            low, high = mean_interval(list(iou.values()), bounds=(0, 1), groups=groups(iou), seed=study.run.seed)
            rows.append(
                SelfAgreementRow(
                    model=model,
                    method=method,
                    images=len(of_images),
                    seeds=study.run.repeats + 1,
                    iou=mean_of_known(list(iou.values())),
                    low=low,
                    high=high,
                    cells=mean_of_known([repeated.cells for repeated in of_images]),
                )
            )
        return Collected({SelfAgreementRow: rows}, skipped=results.skipped("map", study.images or ()))
