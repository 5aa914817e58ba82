"""The table `contributions`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("contributions", "each unit that contributed most to what is explained on an image, with its label")
class ContributionRow:
    """What one unit contributes to the score of one image's target, which `judgements` names."""

    model: str = column("the model")
    image: str = column("the image")
    layer: str = column("the dissected layer whose units are accounted for")
    rank: int = column("1 is the largest |contribution|", low=1)
    unit: int = column("the unit, from 0", low=0)
    label: str | None = column("its label; null where it has none")
    nearest: str | None = column(
        "the concept that it is most like, with or without evidence; null where it is like none"
    )
    contribution: float = column("what it contributes to the score")
    share: float = column("of score - baseline_score; NaN where the score does not depend on the layer")
    error: float = column("how far that share may be off, by twice as many nodes; 0: a closed form", low=0)
    removal_share: float = column("share by which the score falls if this unit alone is silenced, exactly")
    score: float = column("S(A): the target's raw score")
    baseline_score: float = column("S(0): that score with the layer silent")
    total: float = column("sum of the contributions of all units of the layer")
    labelled_total: float = column("sum of the contributions of the units with a label")
    completeness_error: float = column("|total - (score - baseline_score)| as a share of that difference", low=0)
    steps: int = column("nodes of the integration; 0: a closed form", low=0)
