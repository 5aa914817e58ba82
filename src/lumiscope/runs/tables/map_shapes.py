"""The table `map_shapes`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table(
    "map_shapes", "each map as it is displayed: how far it extends, how sharp it is, how much of it is on the object"
)
class MapShapeRow:
    """What one map looks like. All numbers are NaN where the map shows nothing."""

    model: str = column("the model")
    image: str = column("the image")
    method: str = column("the method")
    extent: float = column("smallest share of the view that holds half of the map's weight", low=0, high=1)
    entropy: float = column(
        "Shannon entropy of the weight over pixels, as a share of that of a flat map", low=0, high=1
    )
    gini: float = column("Gini coefficient of the pixels: 0 for a flat map, 1 for a single pixel", low=0, high=1)
    contour: float = column("mean length of its contours over all levels", unit="sides of the view", low=0)
    sharpness: float = column("mean slope of its borders, from 0 to 1", unit="per side of the view", low=0)
    inside: float = column("share of its weight on the true mask; NaN without one", low=0, high=1)
    covered: float = column("share of the true mask that the map's mask covers; NaN without one", low=0, high=1)
