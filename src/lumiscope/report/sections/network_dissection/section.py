"""What units detect, measured on annotated pixels: detectors by layer and category, and the best of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lumiscope.concepts import CATEGORIES, category_of_kind
from lumiscope.report.categories import coloured
from lumiscope.report.numbers import defined
from lumiscope.report.page import Page
from lumiscope.report.parts.category import Category
from lumiscope.report.registry import section
from lumiscope.report.sections.network_dissection.detectors import DetectorLayer, detector_layer, unique_detectors
from lumiscope.report.unit_pictures import UnitPicture, UnitPictures
from lumiscope.runs import NetworkDissectionRow, UnitRow

PICTURES = 4  # of a detector


@dataclass(frozen=True)
class NetworkDissection:
    """What the section shows: the layers of each model. `tested`: whether q-values are known.

    `has_formulas`: whether any unit has one. `has_pictures`: whether any detector has some.
    """

    models: dict[str, list[DetectorLayer]]
    legend: tuple[Category, ...]
    tested: bool
    has_formulas: bool
    has_pictures: bool


@section("network_dissection", title="Network Dissection", link="Detectors", order=40, needs=(NetworkDissectionRow,))
def network_dissection(page: Page) -> NetworkDissection:
    """The detectors of every layer; their pictures are those of the same units in the table `units`."""
    rows = page.run.rows(NetworkDissectionRow)
    by_layer: dict[tuple[str, str], list[NetworkDissectionRow]] = {}
    for row in rows:
        by_layer.setdefault((row.model, row.layer), []).append(row)
    categories = coloured(_in_order(row.category for row in rows if row.category), category_of_kind)
    most = max((len(unique_detectors(units)) for units in by_layer.values()), default=0)
    unit_pictures = UnitPictures(page.run, page.thumbnails)
    named = {(row.model, row.layer, row.unit): row for row in page.run.rows(UnitRow)}

    def pictures(row: NetworkDissectionRow) -> tuple[UnitPicture, ...]:
        unit = named.get((row.model, row.layer, row.unit))
        if unit is None:
            return ()
        return tuple(unit_pictures.picture(unit, image) for image in unit.top_images[:PICTURES])

    models: dict[str, list[DetectorLayer]] = {}
    for (model, layer), units in by_layer.items():
        models.setdefault(model, []).append(detector_layer(layer, units, categories, most, pictures))
    layers = [layer for model_layers in models.values() for layer in model_layers]
    used = {category for layer in layers for category, detectors in layer.counts.items() if detectors.concepts}
    return NetworkDissection(
        models=models,
        legend=tuple(category for category in categories.values() if category in used),
        tested=any(defined(row.q_value) for row in rows),
        has_formulas=any(layer.formulas for layer in layers),
        has_pictures=any(detector.pictures for layer in layers for detector in layer.best),
    )


def _in_order(kinds: Iterable[str]) -> list[str]:
    """Kinds of annotation in the order of the categories that they are, as everywhere in the report."""
    return sorted(dict.fromkeys(kinds), key=lambda kind: CATEGORIES.index(category_of_kind(kind)))
