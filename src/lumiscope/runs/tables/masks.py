"""The table `masks`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("masks", "each mask that a rule made of a map, and each true mask as `ground_truth`, on the model's view")
class MaskRow:
    """One mask."""

    model: str = column("the model")
    image: str = column("the image")
    method: str = column(
        "the method of the map; ground_truth: the true one; void: pixels that the true one leaves open"
    )
    rule: str = column("the rule that made it; given: the true one")
    area: float = column("its share of the view", low=0, high=1)
    location: str = column("where it lies: the folder in the store")
    key: str = column("where it lies: the key in that folder")
