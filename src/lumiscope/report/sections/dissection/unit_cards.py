"""The units of each layer that are worth a card."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.report.page import Page
from lumiscope.report.parts.unit_card import UnitCard
from lumiscope.report.parts.unit_details import UnitDetails
from lumiscope.report.unit_pictures import UnitPictures
from lumiscope.runs import ShownUnitRow, UnitRow


@dataclass(frozen=True)
class LayerCards:
    """The cards of one layer: units with a label, and units without."""

    labelled: tuple[UnitCard, ...] = ()
    unlabelled: tuple[UnitCard, ...] = ()


class UnitCards:
    """Makes the cards of a run, layer by layer."""

    def __init__(self, page: Page) -> None:
        self._pictures = UnitPictures(page.run, page.thumbnails)
        units = {(row.model, row.layer, row.unit): row for row in page.run.rows(UnitRow)}
        self._shown: dict[tuple[str, str | None], list[UnitRow]] = {}
        for row in sorted(page.run.rows(ShownUnitRow), key=lambda row: row.place):
            self._shown.setdefault((row.model, row.layer), []).append(units[row.model, row.layer, row.unit])

    def of(self, model: str, layer: str | None) -> LayerCards:
        """The cards of a layer, in their order; none of all layers together."""
        cards = [UnitCard(UnitDetails.of(row, self._pictures)) for row in self._shown.get((model, layer), ())]
        return LayerCards(
            tuple(card for card in cards if card.details.row.label is not None),
            tuple(card for card in cards if card.details.row.label is None),
        )
