"""Intervals and tests over images; every random one takes a seed and gives the same answer for it.

The image is the unit, or the group of images where `groups` says which belong together.
"""

from lumiscope.statistics.auroc import Separation, separation
from lumiscope.statistics.clusters import (
    ClusteredShare,
    cluster_counts,
    clustered_difference_interval,
    clustered_share_interval,
    clustered_share_test,
)
from lumiscope.statistics.comparison import Best, PairComparison, ahead_of_all, best_of, compare_methods
from lumiscope.statistics.correlation import RankCorrelation, rank_correlation
from lumiscope.statistics.equivalence import Equivalence, equivalence_test, least_equivalence_p_value
from lumiscope.statistics.exchange import least_p_value
from lumiscope.statistics.groups import Groups, numbered
from lumiscope.statistics.known_values import known, mean_of_known
from lumiscope.statistics.means import mean_interval, simultaneous_intervals
from lumiscope.statistics.multiple import benjamini_hochberg, holm
from lumiscope.statistics.pairing import mean_of_others, pairing_test
from lumiscope.statistics.permutation import ALTERNATIVES, Alternative, sign_flip_test
from lumiscope.statistics.proportions import difference_interval, share_test, wilson_interval
from lumiscope.statistics.ranks import rank_probabilities
from lumiscope.statistics.sharing import sharing_test
from lumiscope.statistics.skewed_mean import mean_test
from lumiscope.statistics.superiority import Superiority, superiority
from lumiscope.statistics.tails import counted_p_values, null_p_values

__all__ = [
    "ALTERNATIVES",
    "Alternative",
    "Best",
    "ClusteredShare",
    "Equivalence",
    "Groups",
    "PairComparison",
    "RankCorrelation",
    "Separation",
    "Superiority",
    "ahead_of_all",
    "benjamini_hochberg",
    "best_of",
    "cluster_counts",
    "clustered_difference_interval",
    "clustered_share_interval",
    "clustered_share_test",
    "compare_methods",
    "counted_p_values",
    "difference_interval",
    "equivalence_test",
    "holm",
    "known",
    "least_equivalence_p_value",
    "least_p_value",
    "mean_interval",
    "mean_of_known",
    "mean_of_others",
    "mean_test",
    "null_p_values",
    "numbered",
    "pairing_test",
    "rank_correlation",
    "rank_probabilities",
    "separation",
    "share_test",
    "sharing_test",
    "sign_flip_test",
    "simultaneous_intervals",
    "superiority",
    "wilson_interval",
]
