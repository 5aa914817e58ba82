"""Trust: how far an explanation can be believed. Metrics by name, one file a question in `metrics/`."""

from lumiscope.trust.baselines import BASELINES, baselines, degraded
from lumiscope.trust.candidates import Candidate, Explainer, Reseeded, Score, Undefined, scores_of
from lumiscope.trust.curves import Curves, curves_of
from lumiscope.trust.effects import TrueEffects, effect_correlation
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.mask_faithfulness import Faithfulness
from lumiscope.trust.randomisation import Randomisation, coarse_map, compare_randomised
from lumiscope.trust.registry import METRICS, TrustMetric, default_metrics, trust_metric
from lumiscope.trust.stability import stability
from lumiscope.trust.substrates import SUBSTRATES

__all__ = [
    "BASELINES",
    "METRICS",
    "SUBSTRATES",
    "Candidate",
    "Curves",
    "Explainer",
    "Faithfulness",
    "JudgedView",
    "Randomisation",
    "Reseeded",
    "Score",
    "TrueEffects",
    "TrustMetric",
    "Undefined",
    "baselines",
    "coarse_map",
    "compare_randomised",
    "curves_of",
    "default_metrics",
    "degraded",
    "effect_correlation",
    "scores_of",
    "stability",
    "trust_metric",
]
