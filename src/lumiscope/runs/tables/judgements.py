"""The table `judgements`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("judgements", "each image as a model judges it: what is explained, and whether the model was right")
class JudgementRow:
    """What is true of one model and one image, whatever method explains it."""

    model: str = column("the model")
    image: str = column("the image")
    target_index: int = column("the class that is explained", low=0)
    target_name: str = column("its name")
    target_short_name: str = column("the first of its names")
    probability: float = column("its probability", low=0, high=1)
    label_index: int | None = column("the label as a class of this model; null where it has no such class", low=0)
    label_short_name: str | None = column("the first of that class's names")
    correct: bool | None = column("whether the most probable class is the label; null without a label")
    mask_shows_label: bool | None = column("whether the true mask shows what the label names; null without either")
