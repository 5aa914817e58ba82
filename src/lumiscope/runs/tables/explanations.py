"""The table `explanations`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("explanations", "each map: how it was made, what it says of itself, and where it lies in the store")
class ExplanationRow:
    """One saliency map."""

    model: str = column("the model")
    image: str = column("the image")
    method: str = column("the method")
    layer: str | None = column("the layer looked at, several with commas; null where the method looks at none")
    details: str = column("numbers of this method, warnings among them, as JSON")
    undefined: str = column("why the map is NaN; empty where it is not")
    location: str = column("where it lies: the folder in the store")
    key: str = column("where it lies: the key in that folder")
