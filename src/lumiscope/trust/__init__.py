"""Trust: how far an explanation can be believed. Metrics by name, one file a question in `metrics/`."""

from lumiscope.trust.bam import input_dependence, input_independence, model_contrast
from lumiscope.trust.baselines import BASELINES, baselines, degraded
from lumiscope.trust.candidates import Candidate, Explainer, Score, Undefined, scores_of
from lumiscope.trust.curves import Curves, curves_of
from lumiscope.trust.effects import TrueEffects, effect_correlation, means_on_things
from lumiscope.trust.judged_view import JudgedView
from lumiscope.trust.mask_faithfulness import Faithfulness
from lumiscope.trust.registry import METRICS, TrustMetric, default_metrics, trust_metric
from lumiscope.trust.stability import stability
from lumiscope.trust.substrates import SUBSTRATES
from lumiscope.trust.world_effects import effect_rows, true_effects

__all__ = [
    "BASELINES",
    "METRICS",
    "SUBSTRATES",
    "Candidate",
    "Curves",
    "Explainer",
    "Faithfulness",
    "JudgedView",
    "Score",
    "TrueEffects",
    "TrustMetric",
    "Undefined",
    "baselines",
    "curves_of",
    "default_metrics",
    "degraded",
    "effect_correlation",
    "effect_rows",
    "input_dependence",
    "input_independence",
    "means_on_things",
    "model_contrast",
    "scores_of",
    "stability",
    "true_effects",
    "trust_metric",
]
