"""The tables `method_differences` and `method_ranks`."""

from __future__ import annotations

from lumiscope.runs.table import column, table

MARGIN = 0.05
"""Differences of shares (extent, weight on the object, IoU with the true mask) that are called as good as none."""


@table("method_differences", "each measure and pair of methods: the paired difference over images")
class MethodDifferenceRow:
    """Two methods compared by one measure, image by image."""

    model: str = column("the model")
    measure: str = column("extent, sharpness, inside (of `map_shapes`), or truth: the IoU with the true mask")
    method_a: str = column("a method")
    method_b: str = column("another one")
    images: int = column("images where both have the measure", low=1)
    difference: float = column("mean of the first less that of the second")
    low: float = column("lower end of its interval; those of all pairs of a measure hold together, at 95 %")
    high: float = column("upper end of that interval")
    p_value: float = column("of the two-sided sign-flip test over the images, not corrected", low=0, high=1)
    p_adjusted: float = column("the same after Holm over the pairs of the measure", low=0, high=1)
    superiority: float = column("how often the first is higher on an image, ties counting half", low=0, high=1)
    superiority_low: float = column("lower end of its 95 % interval", low=0, high=1)
    superiority_high: float = column("upper end of that interval", low=0, high=1)
    p_equivalent: float | None = column(
        "that they differ by 0.05 or more on average: two one-sided tests; null for sharpness", low=0, high=1
    )


@table("method_ranks", "each measure, method and rank: in which share of resamples of these images it has it")
class MethodRankRow:
    """How often a method has a rank when these images are drawn anew; no p-value, and no share of other images."""

    model: str = column("the model")
    measure: str = column("as in `method_differences`")
    method: str = column("the method")
    rank: int = column("1: the highest mean", low=1)
    share: float = column("share of resamples of these images in which it has that rank", low=0, high=1)
    mean: float = column("its mean over the images")
    reason: str = column("why the share is NaN; empty where it is not")
