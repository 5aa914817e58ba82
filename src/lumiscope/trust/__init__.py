"""Trust: how far an explanation can be believed. Metrics by name, one file a question in `metrics/`."""

from lumiscope.trust.audit import Attractor, attractor, cell_shares, map_clusters, place_of
from lumiscope.trust.bam import input_dependence, input_independence, model_contrast
from lumiscope.trust.baselines import BASELINES, baseline_maps, degraded
from lumiscope.trust.candidates import Candidate, Explainer, Reseeded, Score, Undefined, scores_of
from lumiscope.trust.curves import Curves, curves_of
from lumiscope.trust.effects import TrueEffects, effect_correlation, effect_map, means_on_things
from lumiscope.trust.judged_view import SUPERPIXELS, JudgedView
from lumiscope.trust.mask_faithfulness import Faithfulness
from lumiscope.trust.randomisation import Randomisation, coarse_map, compare_randomised
from lumiscope.trust.registry import METRICS, Need, TrustMetric, default_metrics, trust_metric
from lumiscope.trust.reliability import Trial, alpha_of_orders, try_metric
from lumiscope.trust.stability import stability
from lumiscope.trust.substrates import SUBSTRATES
from lumiscope.trust.world_effects import effect_rows, scores_without, true_effects

__all__ = [
    "BASELINES",
    "METRICS",
    "SUBSTRATES",
    "SUPERPIXELS",
    "Attractor",
    "Candidate",
    "Curves",
    "Explainer",
    "Faithfulness",
    "JudgedView",
    "Need",
    "Randomisation",
    "Reseeded",
    "Score",
    "Trial",
    "TrueEffects",
    "TrustMetric",
    "Undefined",
    "alpha_of_orders",
    "attractor",
    "baseline_maps",
    "cell_shares",
    "coarse_map",
    "compare_randomised",
    "curves_of",
    "default_metrics",
    "degraded",
    "effect_correlation",
    "effect_map",
    "effect_rows",
    "input_dependence",
    "input_independence",
    "map_clusters",
    "means_on_things",
    "model_contrast",
    "place_of",
    "scores_of",
    "scores_without",
    "stability",
    "true_effects",
    "trust_metric",
    "try_metric",
]
