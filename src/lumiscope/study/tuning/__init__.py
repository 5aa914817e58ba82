"""The search for parameters that suit the images."""

from lumiscope.study.tuning.lime_search import FEATURES, SAMPLES, SEGMENTERS, LimeSearch
from lumiscope.study.tuning.lime_tuning import MASKS, NO_MASKS, Score, Tuning
from lumiscope.study.tuning.tune_lime import tune_lime, tuned_parameters

__all__ = [
    "FEATURES",
    "MASKS",
    "NO_MASKS",
    "SAMPLES",
    "SEGMENTERS",
    "LimeSearch",
    "Score",
    "Tuning",
    "tune_lime",
    "tuned_parameters",
]
