"""Intervals and tests over images; every random one takes a seed and gives the same answer for it."""

from lumiscope.statistics.bootstrap import bootstrap_interval
from lumiscope.statistics.clusters import (
    ClusteredShare,
    cluster_counts,
    clustered_share_interval,
    clustered_share_test,
)
from lumiscope.statistics.multiple import benjamini_hochberg, holm
from lumiscope.statistics.pairing import pairing_test
from lumiscope.statistics.permutation import ALTERNATIVES, Alternative, sign_flip_test
from lumiscope.statistics.proportions import difference_interval, share_test, wilson_interval
from lumiscope.statistics.sharing import sharing_test
from lumiscope.statistics.tails import counted_p_values, null_p_values

__all__ = [
    "ALTERNATIVES",
    "Alternative",
    "ClusteredShare",
    "benjamini_hochberg",
    "bootstrap_interval",
    "cluster_counts",
    "clustered_share_interval",
    "clustered_share_test",
    "counted_p_values",
    "difference_interval",
    "holm",
    "null_p_values",
    "pairing_test",
    "share_test",
    "sharing_test",
    "sign_flip_test",
    "wilson_interval",
]
