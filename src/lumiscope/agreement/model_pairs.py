"""Whether one method shows the same place for different models."""

from __future__ import annotations

from collections.abc import Mapping

from lumiscope.agreement.agreement import Agreement, summarise
from lumiscope.agreement.compare import compare_masks
from lumiscope.agreement.other_images import EACH_ALONE, compare_other_images
from lumiscope.runs import ImageGroups, ModelAgreementRow
from lumiscope.types import BoolArray


def compare_models(
    method: str, images: Mapping[str, Mapping[str, BoolArray]], *, groups: ImageGroups = EACH_ALONE, seed: int = 0
) -> list[ModelAgreementRow]:
    """Every pair of models, in order. `images`: image -> model -> the mask of `method`, (H, W) bool, on one view.

    `groups`: which images belong together.

    The numbers are those that `compare` gives of two methods: models stand in their place.
    """
    masks = {image: {model: (mask, "") for model, mask in of_image.items()} for image, of_image in images.items()}
    pairs = [pair for image, of_image in masks.items() for pair in compare_masks(image, of_image)]
    others = {"": compare_other_images(images, groups=groups, seed=seed)}
    return [
        ModelAgreementRow(
            model_a=row.method_a,
            model_b=row.method_b,
            method=method,
            images=row.images,
            iou=row.iou,
            low=row.low,
            high=row.high,
            other_images=row.other_images,
            p_value=row.p_value,
        )
        for row in summarise(Agreement(tuple(pairs)).table_rows(), others, groups=groups, seed=seed)
    ]
