"""The audit that nobody asked for: a place of the view that draws weight whatever the pictures show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.engines import Report
from lumiscope.runs import ALL_IMAGES, AuditRow, ExplanationRow, ImageRow, JudgementRow, MapClusterRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches
from lumiscope.trust import attractor, cell_shares, map_clusters, place_of
from lumiscope.types import DoubleArray

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy

IMAGES_AT_ONCE = 32
FEWEST = 3  # maps of a class that are put into clusters
Shares = Mapping[str, DoubleArray]
"""Image -> the shares of its map's weight in cells."""


@dataclass(frozen=True)
class ReadShares(ImageTask):
    """Reduce one model's maps of some images to shares of their weight."""

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"auditing maps of {self.model}: {self.items[0]}"

    def run(self, study: OpenStudy, report: Report) -> tuple[str, dict[str, dict[str, DoubleArray]]]:
        """The model, and method -> image -> shares of the maps that show anything."""
        stored = study.stored_maps[self.model]
        shares: dict[str, dict[str, DoubleArray]] = {}
        for item in study.explained(self.items):
            for saliency in stored.read(item):
                of_map = cell_shares(saliency.values.astype(np.float64))
                if of_map.any():
                    shares.setdefault(saliency.method, {})[item.id] = of_map
        return self.model, shares


@stage("audit")
class Audit(Stage):
    """Audits the data set."""

    needs = (ImageRow, ExplanationRow, JudgementRow)
    writes = (AuditRow, MapClusterRow)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[ReadShares]:
        """Some images of a model at a time."""
        ids = [row.image for row in tables.rows(ImageRow)]
        return [ReadShares(model, batch) for model in study.plans for batch in batches(ids, IMAGES_AT_ONCE)]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """All images and each class, method by method."""
        shares: dict[tuple[str, str], dict[str, DoubleArray]] = {}
        for model, methods in results.results:
            for method, of_images in methods.items():
                shares.setdefault((model, method), {}).update(of_images)
        targets = {(row.model, row.image): row.target_name for row in tables.rows(JudgementRow)}
        audits: list[AuditRow] = []
        clusters: list[MapClusterRow] = []
        for (model, method), of_images in shares.items():
            classes: dict[str, dict[str, DoubleArray]] = {}
            for image, of_map in of_images.items():
                classes.setdefault(targets[model, image], {})[image] = of_map
            groups = {ALL_IMAGES: of_images, **(classes if len(classes) > 1 else {})}
            for group, members in groups.items():
                audits += _audit(model, method, group, members, study.run.seed)
            for group, members in classes.items():
                clusters += _clusters(model, method, group, members)
        return Collected(
            {AuditRow: audits, MapClusterRow: clusters}, skipped=results.skipped("map", study.images or ())
        )


def _audit(model: str, method: str, group: str, shares: Shares, seed: int) -> Iterator[AuditRow]:
    found = attractor(np.stack(list(shares.values())), seed)
    if found is None:
        return
    rows, columns = (np.flatnonzero(found.region.any(axis=axis)) for axis in (1, 0))
    height, width = found.region.shape
    yield AuditRow(
        model=model,
        method=method,
        group=group,
        images=len(shares),
        place=found.place,
        left=float(columns[0] / width),
        top=float(rows[0] / height),
        right=float((columns[-1] + 1) / width),
        bottom=float((rows[-1] + 1) / height),
        area=found.area,
        weight=min(found.weight, 1.0),
        mirrored=min(found.mirrored, 1.0),
        p_value=found.p_value,
        typical=list(shares)[found.typical],
    )


def _clusters(model: str, method: str, group: str, shares: Shares) -> Iterator[MapClusterRow]:
    if len(shares) < FEWEST:
        return
    maps, images = np.stack(list(shares.values())), list(shares)
    numbers, medoids = map_clusters(maps)
    for number, medoid in enumerate(medoids.tolist()):
        mean = maps[numbers == number].mean(axis=0)
        yield MapClusterRow(
            model=model,
            method=method,
            group=group,
            cluster=number + 1,
            images=int((numbers == number).sum()),
            of=len(images),
            medoid=images[medoid],
            place=place_of(mean >= mean.max() / 2),
        )
