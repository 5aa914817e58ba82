"""Where maps lie whatever the pictures show, and what the maps of a class have in common."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.report.numbers import defined
from lumiscope.report.page import Page
from lumiscope.report.parts.thumbnail import Thumbnail
from lumiscope.report.registry import section
from lumiscope.runs import ALL_IMAGES, AuditRow, MapClusterRow

CLASSES = 6  # audited classes that are listed, beside all images
CLUSTERS = 18  # that are shown


@dataclass(frozen=True)
class Place:
    """A place of the view. `method`: its title. `typical`: the map with the median weight there."""

    method: str
    row: AuditRow
    typical: Thumbnail


@dataclass(frozen=True)
class Cluster:
    """Maps of a class that lie at one place. `method`: its title. `medoid`: the map most like the others."""

    method: str
    row: MapClusterRow
    medoid: Thumbnail


@dataclass(frozen=True)
class ModelAudit:
    """One model. `clusters`: the most unusual ones of `of`."""

    model: str
    places: tuple[Place, ...]
    clusters: tuple[Cluster, ...]
    of: int


@section("audit", title="Places", order=63, needs=(AuditRow, MapClusterRow))
def audit(page: Page) -> tuple[ModelAudit, ...]:
    """The tables `audit` and `map_clusters`."""
    models = [row.model for row in page.run.rows(AuditRow)] + [row.model for row in page.run.rows(MapClusterRow)]
    return tuple(_of_model(page, model) for model in dict.fromkeys(models))


def _of_model(page: Page, model: str) -> ModelAudit:
    audited = [row for row in page.run.rows(AuditRow) if row.model == model]
    classes = sorted((row for row in audited if row.group != ALL_IMAGES), key=lambda row: row.p_value)
    listed = [row for row in audited if row.group == ALL_IMAGES] + classes[:CLASSES]
    several = [row for row in page.run.rows(MapClusterRow) if row.model == model and row.images > 1]
    shown = sorted(several, key=_excess, reverse=True)[:CLUSTERS]
    return ModelAudit(
        model,
        tuple(Place(page.method_title(row.method), row, _map(page, row, row.typical)) for row in listed),
        tuple(Cluster(page.method_title(row.method), row, _map(page, row, row.medoid)) for row in shown),
        len(several),
    )


def _excess(row: MapClusterRow) -> float:
    """How much more of a map's weight is at a cluster's place than of all other maps."""
    return row.weight - (row.others if defined(row.others) else row.area)


def _map(page: Page, row: AuditRow | MapClusterRow, image: str) -> Thumbnail:
    return Thumbnail(page.map_class(row.model, image, row.method), f"{image}, {row.method}", tooltip=True)
