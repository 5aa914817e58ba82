"""The table `model_agreement`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("model_agreement", "each pair of models that see the same view: does a method show the same place for both")
class ModelAgreementRow:
    """The masks of one method for two models, compared over all images."""

    model_a: str = column("a model")
    model_b: str = column("another one")
    method: str = column("the method")
    images: int = column("images with a defined IoU; only these count", low=0)
    iou: float = column("mean IoU of the two models' masks of an image", low=0, high=1)
    low: float = column("lower end of its 95 % interval over images", low=0, high=1)
    high: float = column("upper end of that interval", low=0, high=1)
    other_images: float = column(
        "mean IoU of the one's masks of an image and the other's of different images; NaN with one image", low=0, high=1
    )
    p_value: float = column(
        "of the IoU, if masks of different images belonged together as well; not corrected", low=0, high=1
    )
