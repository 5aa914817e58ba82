"""Intervals and tests over images; every random one takes a seed and gives the same answer for it."""

from lumiscope.statistics.bootstrap import bootstrap_interval
from lumiscope.statistics.multiple import holm
from lumiscope.statistics.permutation import ALTERNATIVES, Alternative, sign_flip_test

__all__ = ["ALTERNATIVES", "Alternative", "bootstrap_interval", "holm", "sign_flip_test"]
