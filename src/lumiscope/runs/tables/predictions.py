"""The table `predictions`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("predictions", "each of the five most probable classes of an image, by model")
class PredictionRow:
    """One of the most probable classes of an image."""

    model: str = column("the model")
    image: str = column("the image")
    rank: int = column("1 is the most probable class", low=1, high=5)
    class_index: int = column("the class", low=0)
    class_name: str = column("its name")
    short_name: str = column("the first of its names")
    probability: float = column("its probability", low=0, high=1)
    logit: float = column("its raw score")
