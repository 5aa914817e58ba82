"""The tables `trust`, `trust_summary`, `trust_metrics` and `trust_curves`."""

from __future__ import annotations

from enum import StrEnum

from lumiscope.runs.table import column, table


class Reliability(StrEnum):
    """Whether a metric tells anything on these images."""

    HOLDS = "holds"
    WEAK = "weak"
    MEANINGLESS = "meaningless"
    UNKNOWN = "unknown"


@table("trust", "each trust metric, and map of an image: its score; those of baselines, too")
class TrustRow:
    """How one map scores on one trust metric."""

    model: str = column("the model")
    image: str = column("id of the image")
    method: str = column("the method, or the baseline: random, blob, centred, constant")
    baseline: bool = column("whether that is a map that knows nothing, made for comparison")
    metric: str = column("the trust metric, see `lumiscope methods --metrics`")
    value: float | None = column("its score; null where it cannot be told")
    reason: str = column("why there is none; empty where there is one")


@table(
    "trust_summary", "each trust metric, and method or baseline: its mean over images, beside maps that know nothing"
)
class TrustSummaryRow:
    """How one method scores on one trust metric, over images."""

    model: str = column("the model")
    method: str = column("the method, or the baseline")
    baseline: bool = column("whether that is a map that knows nothing")
    metric: str = column("the trust metric")
    images: int = column("images where the score is told", low=0)
    undefined: int = column("images where it was measured and cannot be told", low=0)
    mean: float = column("mean score; NaN where it is told of no image")
    low: float = column("lower end of its 95 % interval over images")
    high: float = column("upper end of that interval")
    null: str = column("the baseline that is hardest to beat; of a baseline that which the metric names")
    null_mean: float = column("mean score of that baseline on the same images")
    p_value: float = column(
        "of the one-sided test that the method is no better than that baseline, and so than any, image by image, not "
        "corrected; NaN of baselines, and where a constant map has the best score that there is",
        low=0,
        high=1,
    )


@table("trust_metrics", "each model and trust metric: whether the metric tells anything on these images")
class TrustMetricRow:
    """Whether a metric means anything here: tried on maps of which it is known that they are worse."""

    model: str = column("the model")
    metric: str = column("the trust metric")
    title: str = column("its name in words")
    property: str = column("what it measures, of the twelve properties of Nauta et al. 2023")
    direction: str = column("which way is good: higher or lower")
    verdict: str = column("what is known of the metric anywhere: sound, with care, misleading alone")
    caution: str = column("why it is no better; empty where it is sound without reserve")
    images: int = column("images on which maps were made worse", low=0)
    alpha: float = column("Krippendorff's alpha of the order of the methods over images; NaN with fewer than 2", high=1)
    fall: float = column(
        "gamma (Goodman and Kruskal) of its score with the share of noise mixed into a map; 1: falls as it should"
    )
    fall_low: float = column("lower end of its 95 % interval over images", low=-1, high=1)
    fall_high: float = column("upper end of that interval", low=-1, high=1)
    above_inverted: float = column("share of images where a map beats itself upside down, ties half", low=0, high=1)
    above_random: float = column("the same beside the random map", low=0, high=1)
    above_centred: float = column("the same beside the centred map", low=0, high=1)
    true_effect_above: float = column(
        "how often the map of true effects beats the random, the centred and the inverted one; NaN where not known",
        low=0,
        high=1,
    )
    reliability: Reliability = column("holds, weak, meaningless, or unknown where too little was tried")


@table("trust_curves", "each curve of a method or baseline, and share of the view: the mean score over images")
class TrustCurveRow:
    """One point of a mean curve."""

    model: str = column("the model")
    method: str = column("the method, or the baseline")
    baseline: bool = column("whether that is a map that knows nothing")
    shown: bool = column("whether the most relevant pixels are shown alone (insertion), or hidden (deletion)")
    share: float = column("share of the view that these pixels are", low=0, high=1)
    images: int = column("images with such a curve", low=1)
    mean: float = column("mean normalised logit: 1 for the whole view, 0 where everything is hidden")
    low: float = column("lower end of its 95 % interval over images")
    high: float = column("upper end of that interval")
