"""Intervals and tests over images; every random one takes a seed and gives the same answer for it."""

from lumiscope.statistics.auroc import Separation, separation
from lumiscope.statistics.bootstrap import bootstrap_interval
from lumiscope.statistics.correlation import RankCorrelation, rank_correlation
from lumiscope.statistics.multiple import benjamini_hochberg, holm
from lumiscope.statistics.pairing import pairing_test
from lumiscope.statistics.permutation import ALTERNATIVES, Alternative, sign_flip_test
from lumiscope.statistics.proportions import difference_interval, share_test, wilson_interval
from lumiscope.statistics.sharing import sharing_test
from lumiscope.statistics.tails import counted_p_values, null_p_values

__all__ = [
    "ALTERNATIVES",
    "Alternative",
    "RankCorrelation",
    "Separation",
    "benjamini_hochberg",
    "bootstrap_interval",
    "counted_p_values",
    "difference_interval",
    "holm",
    "null_p_values",
    "pairing_test",
    "rank_correlation",
    "separation",
    "share_test",
    "sharing_test",
    "sign_flip_test",
    "wilson_interval",
]
