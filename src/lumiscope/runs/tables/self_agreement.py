"""The table `self_agreement`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("self_agreement", "each method that draws at random, by model: how far it agrees with itself under another seed")
class SelfAgreementRow:
    """One method with itself: what is left of its agreement when nothing but the seed changes."""

    model: str = column("the model")
    method: str = column("the method")
    images: int = column("images on which it was repeated", low=0)
    seeds: int = column("seeds that were tried, that of the study among them", low=2)
    iou: float = column("mean IoU of its masks under two seeds", low=0, high=1)
    low: float = column("lower end of its 95 % interval over images", low=0, high=1)
    high: float = column("upper end of that interval", low=0, high=1)
    cells: float = column("mean rank correlation of its maps on 14 x 14 cells", low=-1, high=1)
