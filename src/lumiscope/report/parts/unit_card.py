"""A unit at one glance."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.report.parts.unit_details import UnitDetails
from lumiscope.report.unit_pictures import UnitPicture

IMAGES = 5  # on a card that is not open


@dataclass(frozen=True)
class UnitCard:
    """The label of a unit, the images on which it is most active and its evidence; a click opens the details."""

    details: UnitDetails

    @property
    def images(self) -> tuple[UnitPicture, ...]:
        """Those on the card before it is opened."""
        return self.details.images[:IMAGES]
