"""Each image with what every model and method say about it."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.report.page import Page
from lumiscope.report.parts.bar_key import BarKey
from lumiscope.report.registry import section
from lumiscope.report.sections.images.cards import CardMaker, ImageCards
from lumiscope.runs import ExplanationRow

IMAGES_SHOWN = 40
IMAGES_OPEN = 12
TABLES_OPEN = 2  # images whose tables of IoU are unfolded; of more, the pictures come first


@dataclass(frozen=True)
class Images:
    """What the section shows: some of `total` images. `open_images`: so many of them are unfolded."""

    images: tuple[ImageCards, ...]
    total: int
    open_images: int
    key: BarKey

    @property
    def opens_tables(self) -> bool:
        """Whether the tables of IoU are unfolded."""
        return len(self.images) <= TABLES_OPEN


@section("images", title="Images", order=50, needs=(ExplanationRow,))
def images(page: Page) -> Images:
    """The cards of the first `IMAGES_SHOWN` images that have explanations, those that a finding names among them."""
    cards = CardMaker(page)
    shown = tuple(cards.image_cards(image) for image in page.shown_images(cards.images, IMAGES_SHOWN))
    return Images(shown, len(cards.images), IMAGES_OPEN, BarKey(has_interval=False))
