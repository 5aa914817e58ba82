"""The tables `map_agreement` and `map_agreement_summary`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("map_agreement", "each pair of methods on each image, compared without masks: on common cells and on segments")
class MapAgreementRow:
    """Two maps of one image compared. Numbers are NaN where one of the maps is the same everywhere."""

    model: str = column("the model")
    image: str = column("the image")
    method_a: str = column("a method")
    method_b: str = column("another one")
    cells: float = column("rank correlation of the maps on 14 x 14 cells", low=-1, high=1)
    partial: float = column("the same, after the centre and the picture's edges are taken out", low=-1, high=1)
    segments: float = column("rank correlation on the segments of the image; NaN without any", low=-1, high=1)
    top_5: float = column("share of the 5 % most important cells that are those of both", low=0, high=1)
    top_10: float = column("the same of 10 %", low=0, high=1)
    top_20: float = column("the same of 20 %", low=0, high=1)
    top_30: float = column("the same of 30 %", low=0, high=1)
    top_50: float = column("the same of 50 %", low=0, high=1)


@table("map_agreement_summary", "each pair of methods, compared without masks: means over the images")
class MapAgreementSummaryRow:
    """Two methods compared over all images; means leave out images where a number is NaN."""

    model: str = column("the model")
    method_a: str = column("a method")
    method_b: str = column("another one")
    images: int = column("images where both maps say something", low=0)
    cells: float = column("mean rank correlation on cells", low=-1, high=1)
    low: float = column("lower end of its 95 % interval over images", low=-1, high=1)
    high: float = column("upper end of that interval", low=-1, high=1)
    other_images: float = column("mean rank correlation of maps of different images", low=-1, high=1)
    partial: float = column("mean rank correlation without centre and edges", low=-1, high=1)
    partial_low: float = column("lower end of its 95 % interval over images", low=-1, high=1)
    partial_high: float = column("upper end of that interval", low=-1, high=1)
    partial_other_images: float = column("the same of maps of different images", low=-1, high=1)
    p_value: float = column(
        "of `partial`, what a method always shows taken out, if maps of different images belonged together as well; "
        "not corrected",
        low=0,
        high=1,
    )
    segments: float = column("mean rank correlation on segments; NaN without any", low=-1, high=1)
    top_5: float = column("mean share of the 5 % most important cells that are those of both", low=0, high=1)
    top_10: float = column("the same of 10 %", low=0, high=1)
    top_20: float = column("the same of 20 %", low=0, high=1)
    top_30: float = column("the same of 30 %", low=0, high=1)
    top_50: float = column("the same of 50 %", low=0, high=1)
    top_5_other_images: float = column(
        "`top_5` of maps of different images; NaN with fewer than two images", low=0, high=1
    )
    top_10_other_images: float = column("the same of 10 %", low=0, high=1)
    top_20_other_images: float = column("the same of 20 %", low=0, high=1)
    top_30_other_images: float = column("the same of 30 %", low=0, high=1)
    top_50_other_images: float = column("the same of 50 %", low=0, high=1)
