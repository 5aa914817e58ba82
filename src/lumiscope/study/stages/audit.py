"""The audit that nobody asked for: a place of the view that draws weight whatever the pictures show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumiscope.engines import Report
from lumiscope.runs import ALL_IMAGES, AuditRow, ExplanationRow, ImageGroups, ImageRow, JudgementRow, MapClusterRow
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
        together = ImageGroups.of(tables.rows(ImageRow))
        rows: dict[type[Any], list[Any]] = {AuditRow: [], MapClusterRow: []}
        for (model, method), of_images in shares.items():
            classes: dict[str, dict[str, DoubleArray]] = {}
            for image, of_map in of_images.items():
                classes.setdefault(targets[model, image], {})[image] = of_map
            rows[AuditRow] += audit_rows(model, method, of_images, classes, together, study.run.seed)
            everything = np.sum(list(of_images.values()), axis=0)
            for group, members in classes.items():
                rows[MapClusterRow] += _clusters(model, method, group, members, everything, len(of_images))
        return Collected(rows, skipped=results.skipped("map", study.images or ()))


def audit_rows(
    model: str, method: str, shares: Shares, classes: Mapping[str, Shares], together: ImageGroups, seed: int
) -> Iterator[AuditRow]:
    """All images, and each class where there are several. `together`: images that are alike, and no class audited."""
    if row := _audit(model, method, ALL_IMAGES, shares, seed, together(shares)):
        yield row
    if len(classes) > 1:
        yield from filter(None, (_audit(model, method, group, of, seed) for group, of in classes.items()))


def _audit(
    model: str, method: str, group: str, shares: Shares, seed: int, together: Sequence[str] | None = None
) -> AuditRow | None:
    found = attractor(np.stack(list(shares.values())), seed, together)
    if found is None:
        return None
    rows, columns = (np.flatnonzero(found.region.any(axis=axis)) for axis in (1, 0))
    height, width = found.region.shape
    return AuditRow(
        model=model,
        method=method,
        group=group,
        images=len(shares),
        witnesses=len(set(together)) if together else len(shares),
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


def _clusters(
    model: str, method: str, group: str, shares: Shares, everything: DoubleArray, count: int
) -> Iterator[MapClusterRow]:
    """`everything`: the sum of all `count` maps of the method."""
    if len(shares) < FEWEST:
        return
    maps, images = np.stack(list(shares.values())), list(shares)
    numbers, medoids = map_clusters(maps)
    for number, medoid in enumerate(medoids.tolist()):
        members = maps[numbers == number]
        mean = members.mean(axis=0)
        region = mean >= mean.max() / 2
        elsewhere = (everything - members.sum(axis=0))[region].sum()
        others = count - len(members)
        yield MapClusterRow(
            model=model,
            method=method,
            group=group,
            cluster=number + 1,
            images=len(members),
            of=len(images),
            medoid=images[medoid],
            place=place_of(region),
            area=float(region.mean()),
            weight=min(float(mean[region].sum()), 1.0),
            others=min(max(float(elsewhere / others), 0.0), 1.0) if others else math.nan,
        )
