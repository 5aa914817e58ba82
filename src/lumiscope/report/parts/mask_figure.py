"""A mask on the view."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.images import View
from lumiscope.report.outline import CYAN, YELLOW, outlined
from lumiscope.report.picture import Picture
from lumiscope.runs import GROUND_TRUTH, MaskRow
from lumiscope.types import BoolArray


@dataclass(frozen=True)
class MaskFigure:
    """A mask outlined on the view, with its rule and area: yellow for a method's mask, cyan for the true one.

    `shows`: what a true mask covers, "" if unknown. `iou_with_truth`: of a method's mask; None without a true one.
    """

    picture: Picture
    row: MaskRow
    shows: str = ""
    iou_with_truth: float | None = None

    @classmethod
    def of(
        cls, row: MaskRow, title: str, view: View, mask: BoolArray, *, shows: str = "", iou: float | None = None
    ) -> MaskFigure:
        """Draw a mask, (H, W). `title`: of its method. `iou`: with the true mask."""
        pixels = outlined(view.pixels, mask, CYAN if row.method == GROUND_TRUTH else YELLOW)
        picture = Picture.of(pixels, f"Mask of {title} on {row.image}, {row.area:.0%} of the view")
        return cls(picture, row, shows, iou)

    @property
    def is_true(self) -> bool:
        """Whether it is the true mask."""
        return self.row.method == GROUND_TRUTH
