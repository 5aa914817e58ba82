"""The table `observations`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("observations", "each map in one line of words, and whether it is the odd one out of its image")
class ObservationRow:
    """One map in words."""

    model: str = column("the model")
    image: str = column("the image")
    method: str = column("the method")
    text: str = column("what there is to see, each number from `map_shapes`, `masks` or `agreement`")
