"""Intervals and tests over images; every random one takes a seed and gives the same answer for it."""

from lumiscope.statistics._grouped import Groups
from lumiscope.statistics.attainable import PERMUTATION_TESTS, PermutationTest, images_needed, smallest_p_value
from lumiscope.statistics.comparison import Best, PairComparison, best_of, compare_methods
from lumiscope.statistics.equivalence import Equivalence, equivalence_test
from lumiscope.statistics.means import mean_interval, simultaneous_intervals
from lumiscope.statistics.multiple import benjamini_hochberg, holm
from lumiscope.statistics.pairing import pairing_test
from lumiscope.statistics.permutation import ALTERNATIVES, Alternative, sign_flip_test
from lumiscope.statistics.proportions import difference_interval, share_test, wilson_interval
from lumiscope.statistics.ranks import rank_probabilities
from lumiscope.statistics.sharing import sharing_test
from lumiscope.statistics.superiority import Superiority, superiority
from lumiscope.statistics.tails import counted_p_values, null_p_values

__all__ = [
    "ALTERNATIVES",
    "PERMUTATION_TESTS",
    "Alternative",
    "Best",
    "Equivalence",
    "Groups",
    "PairComparison",
    "PermutationTest",
    "Superiority",
    "benjamini_hochberg",
    "best_of",
    "compare_methods",
    "counted_p_values",
    "difference_interval",
    "equivalence_test",
    "holm",
    "images_needed",
    "mean_interval",
    "null_p_values",
    "pairing_test",
    "rank_probabilities",
    "share_test",
    "sharing_test",
    "sign_flip_test",
    "simultaneous_intervals",
    "smallest_p_value",
    "superiority",
    "wilson_interval",
]
