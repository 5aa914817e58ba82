"""The table `explanations`."""

from __future__ import annotations

from enum import StrEnum

from lumiscope.runs.table import column, table


class NoMap(StrEnum):
    """Why a map shows nothing."""

    UNDEFINED = "undefined"  # it is NaN
    BLANK = "blank"  # it displays as zeros


@table("explanations", "each map: how it was made, what it says of itself, and where it lies in the store")
class ExplanationRow:
    """One saliency map."""

    model: str = column("the model")
    image: str = column("the image")
    method: str = column("the method")
    layer: str | None = column("the layer looked at, several with commas; null where the method looks at none")
    details: str = column("numbers of this method, and all that the map says of itself, as JSON")
    reason: NoMap | None = column("why there is nothing to see; null where there is something")
    reason_detail: str = column("the reason in words")
    warnings: tuple[str, ...] = column("what makes it doubtful")
    location: str = column("where it lies: the folder in the store")
    key: str = column("where it lies: the key in that folder")

    @property
    def undefined(self) -> str:
        """Why the map is NaN; "" where it is not."""
        return self.reason_detail if self.reason is NoMap.UNDEFINED else ""
