"""The tables `agreement` and `agreement_summary`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("agreement", "each pair of methods on each image, and each method against `ground_truth`")
class AgreementRow:
    """Two masks of one image compared."""

    model: str = column("the model")
    image: str = column("the image")
    method_a: str = column("a method")
    method_b: str = column("another one, or ground_truth")
    iou: float = column(
        "intersection over union of the masks; NaN where both, or the true one, are empty",
        low=0,
        high=1,
    )
    area_a: float = column("share of the view that the first mask covers", low=0, high=1)
    area_b: float = column("share of the view that the second mask covers", low=0, high=1)
    other_images: float = column(
        "mean IoU of either mask with the other method's of different images; NaN with one image", low=0, high=1
    )
    chance: float = column("IoU of independent masks of these areas", low=0, high=1)
    ceiling: float = column("the highest IoU that these areas allow", low=0, high=1)
    adjusted: float = column(
        "(iou - other_images) / (ceiling - other_images): 0 as on different images, 1 the best possible; NaN where "
        "different images overlap as far as the areas allow",
        high=1,
    )
    rule_a: str = column("the rule that made the first mask")
    rule_b: str = column("the rule that made the second mask")
    reason: str = column("why a number is NaN; empty where none is")


@table(
    "agreement_summary",
    "each pair: mean over images, 95 % interval, what different images give, chance, ceiling, p-value",
)
class AgreementSummaryRow:
    """Two methods compared over all images."""

    model: str = column("the model")
    method_a: str = column("a method")
    method_b: str = column("another one, or ground_truth")
    images: int = column("images with a defined IoU; only these count", low=0)
    iou: float = column("mean IoU", low=0, high=1)
    low: float = column(
        "lower end of its 95 % interval over images; 0 with fewer than 3, which say nothing", low=0, high=1
    )
    high: float = column("upper end of that interval; 1 with fewer than 3 images", low=0, high=1)
    other_images: float = column(
        "mean IoU of the one's masks of an image and the other's of different images; NaN with one image", low=0, high=1
    )
    chance: float = column("mean IoU of independent masks of these areas", low=0, high=1)
    ceiling: float = column("mean of the highest IoU that the areas allow", low=0, high=1)
    adjusted: float = column("mean adjusted IoU of the images where it is defined", high=1)
    p_value: float = column(
        "of the IoU, if masks of different images belonged together as well; not corrected for pairs", low=0, high=1
    )
