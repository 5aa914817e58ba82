"""Shares of things that come in clusters, as units of a network do: the cluster is what counts, and is permuted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics._kept_draws import Block, Draws
from lumiscope.statistics._packed import packed, packed_sums
from lumiscope.statistics.proportions import combined_intervals
from lumiscope.types import BoolArray, DoubleArray

ROUNDING = 1e-12


@dataclass(frozen=True)
class ClusteredShare:
    """Some of n things in C clusters have a property. `hits`, `sizes`: (C,) how many of each cluster, and its size."""

    hits: DoubleArray
    sizes: DoubleArray

    @classmethod
    def of(cls, hits: Sequence[bool], clusters: Sequence[Hashable]) -> ClusteredShare:
        """`hits`: (n,) who has the property. `clusters`: (n,) the cluster of each. `UsageError` for other lengths."""
        if len(hits) != len(clusters):
            raise UsageError(f"expected a cluster for each of {len(hits)} things; got {len(clusters)}")
        sizes = Counter(clusters)
        counts = Counter(cluster for hit, cluster in zip(hits, clusters, strict=True) if hit)
        return cls(np.array([counts[name] for name in sizes], np.float64), np.array(list(sizes.values()), np.float64))

    @property
    def share(self) -> float:
        """Hits of all things; NaN without any."""
        return float(self.hits.sum() / self.sizes.sum()) if self.sizes.size else math.nan

    @property
    def effective_size(self) -> float:
        """As many independent things as know as much: at most n.

        n over the design effect, the variance of a ratio of cluster totals over that of n independent things (Kish
        1965, Survey Sampling, sections 6.5 and 8.2); where all or none are hits, which says nothing of how alike a
        cluster is, (Σ sizes)² / Σ sizes².
        """
        total, share, clusters = self.sizes.sum(), self.share, len(self.sizes)
        if clusters < 2:
            return float(clusters)
        if share in (0, 1):
            return float(total**2 / (self.sizes**2).sum())
        variance = clusters / (clusters - 1) * ((self.hits - share * self.sizes) ** 2).sum() / total**2
        return float(min(total, share * (1 - share) / variance)) if variance > 0 else float(total)


def clustered_share_interval(sample: ClusteredShare, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval (low, high), in [0, 1], of a share: Wilson's with the effective number of things.

    (NaN, NaN) without clusters. The quantile is Student's t with C - 1 degrees of freedom; (0, 1) with one cluster.
    Source: Wilson 1927; Korn and Graubard 1998, Confidence Intervals for Proportions with Small Expected Number of
    Positive Counts Estimated from Survey Data, for the effective size.
    """
    from scipy.stats import t

    if not sample.sizes.size:
        return math.nan, math.nan
    if len(sample.sizes) == 1:
        return 0.0, 1.0
    share, count = sample.share, sample.effective_size
    z2 = float(t.ppf((1 + confidence) / 2, len(sample.sizes) - 1)) ** 2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def clustered_difference_interval(first: ClusteredShare, second: ClusteredShare) -> tuple[float, float]:
    """Return the 95 % interval of the second share minus the first; (NaN, NaN) where one has no cluster.

    As `difference_interval`, of the intervals of `clustered_share_interval`.
    """
    return combined_intervals(*((sample.share, clustered_share_interval(sample)) for sample in (first, second)))


def clustered_share_test(
    first: ClusteredShare, second: ClusteredShare, *, permutations: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Return the difference of two shares, second minus first, and the two-sided p-value that there is none.

    Tested is the mean over clusters of the share in each: every cluster counts once, as units that respond alike are
    one observation however many they are. (Sums over units are led by a few large clusters; where those of one side
    are larger, such a test finds differences that are not there.) Whole clusters are dealt out again, as many to either
    side as it had; p = (b + 1) / (m + 1), b of m deals having as large a difference of these means (Phipson and Smyth
    2010); 1 where that differs in sign from the difference of shares. Exact if clusters could as well have been of the
    other side. (NaN, NaN) where one has no cluster. Errors: `UsageError` for fewer than 1 permutation.
    """
    if permutations < 1:
        raise UsageError(f"a permutation test needs at least 1 permutation; got {permutations}")
    if not first.sizes.size or not second.sizes.size:
        return math.nan, math.nan
    shares = np.concatenate([first.hits / first.sizes, second.hits / second.sizes])
    sides = np.arange(len(shares)) < len(first.sizes)
    difference, observed = second.share - first.share, shares[~sides].mean() - shares[sides].mean()
    if difference * observed <= 0 and abs(observed) > ROUNDING:
        return difference, 1.0

    def is_extreme(first_sides: Block) -> BoolArray:
        dealt = packed_sums(shares, first_sides)
        means = (shares.sum() - dealt) / (~sides).sum() - dealt / sides.sum()
        return np.asarray(np.abs(means) >= abs(observed) - ROUNDING)

    extreme = Draws(Deals(len(first.sizes), len(shares)), seed).count(permutations, is_extreme)
    return difference, (extreme + 1) / (permutations + 1)


@dataclass(frozen=True)
class Deals:
    """`first` of so many `things` are dealt to one side."""

    first: int
    things: int

    def drawn(self, generator: np.random.Generator, count: int) -> Block:
        """(⌈n / 8⌉, count): who is of the first side, packed."""
        sides = np.tile(np.arange(self.things) < self.first, (count, 1))
        return packed(generator.permuted(sides, axis=1))


def cluster_counts(kinds: Sequence[Hashable], clusters: Sequence[Hashable]) -> dict[Hashable, int]:
    """In how many clusters each kind is; None is no kind. What `sharing_test` is to be given in the place of things.

    `kinds`, `clusters`: (n,). Kinds in the order in which they come. Errors: `UsageError` for other lengths.
    """
    if len(kinds) != len(clusters):
        raise UsageError(f"expected a cluster for each of {len(kinds)} things; got {len(clusters)}")
    pairs = dict.fromkeys((kind, cluster) for kind, cluster in zip(kinds, clusters, strict=True) if kind is not None)
    return dict(Counter(kind for kind, _ in pairs))
