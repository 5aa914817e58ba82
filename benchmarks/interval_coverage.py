"""What `statistics.py` simulates: samples of which the truth is known, and how many intervals hold it.

An interval that is not given, NaN, is not counted.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from lumiscope.statistics import (
    ClusteredShare,
    clustered_difference_interval,
    clustered_share_interval,
    difference_interval,
    mean_interval,
    rank_correlation,
    separation,
    simultaneous_intervals,
    superiority,
    wilson_interval,
)
from lumiscope.types import DoubleArray

SIZES = (3, 5, 10, 30, 100)
WANTED = (0.93, 0.97)
METHODS = 4  # of which intervals hold together
GROUP = 4  # images
RESAMPLES = 1_000  # of the percentile bootstrap
ROUNDING = 1e-12  # an end that is the truth but for rounding
Generator = np.random.Generator
Draw = Callable[[Generator, tuple[int, ...]], DoubleArray]


@dataclass(frozen=True)
class Kind:
    """What is drawn. `draw`: (generator, shape) -> numbers, of which `mean` is known."""

    name: str
    draw: Draw
    mean: float
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Share:
    """How many of the intervals that were given held the truth."""

    held: int
    given: int

    def __str__(self) -> str:
        if not self.given:
            return "–"
        share = self.held / self.given
        error = math.sqrt(share * (1 - share) / self.given)
        text = f"{100 * share:.1f} ± {100 * error:.1f}"
        return text if WANTED[0] - 2 * error <= share <= WANTED[1] + 2 * error else f"**{text}**"


Cell = tuple[Share, ...]  # the interval, and the bootstrap where it is beside it
Simulation = Callable[[Generator, int, int], Cell]


@dataclass(frozen=True)
class Row:
    """An interval and what is drawn for it. `simulate`: (generator, trials, n) -> coverage."""

    interval: str
    drawn: str
    simulate: Simulation


def like_iou(zeros: float) -> Draw:
    """IoUs of which a share is 0, the others around 4/7."""
    return lambda generator, shape: np.where(generator.random(shape) < zeros, 0, generator.beta(4, 3, shape))


def ones(share: float) -> Draw:
    """1 with the probability `share`, else 0."""
    return lambda generator, shape: (generator.random(shape) < share).astype(np.float64)


UNBOUNDED = (
    Kind("normal", lambda generator, shape: generator.normal(0, 1, shape), 0),
    Kind("exponential", lambda generator, shape: generator.exponential(1, shape), 1),
    Kind("lognormal, σ = 0.5", lambda generator, shape: generator.lognormal(0, 0.5, shape), math.exp(0.125)),
    Kind("lognormal, σ = 1", lambda generator, shape: generator.lognormal(0, 1, shape), math.exp(0.5)),
)
BOUNDED = (
    Kind("uniform", lambda generator, shape: generator.random(shape), 0.5, (0, 1)),
    Kind("U-shaped, beta(0.5, 0.5)", lambda generator, shape: generator.beta(0.5, 0.5, shape), 0.5, (0, 1)),
    Kind("like IoU, 30 % zeros", like_iou(0.3), 0.7 * 4 / 7, (0, 1)),
    Kind("like IoU, 50 % zeros", like_iou(0.5), 0.5 * 4 / 7, (0, 1)),
    Kind("0 or 1, 30 % ones", ones(0.3), 0.3, (0, 1)),
    Kind("0 or 1, 90 % ones", ones(0.9), 0.9, (0, 1)),
)


def coverage(intervals: Sequence[tuple[float, float]], truth: float) -> Share:
    """Count the intervals that hold `truth`; one that is NaN claims nothing and is not counted."""
    low, high = np.array(intervals, np.float64).reshape(-1, 2).T
    return Share(int(((low <= truth + ROUNDING) & (truth - ROUNDING <= high)).sum()), int((~np.isnan(low)).sum()))


@functools.lru_cache(maxsize=512)
def interval_of(sample: bytes, bounds: tuple[float, float] | None, skewed: bool) -> tuple[float, float]:
    """`mean_interval`, of equal samples once: 0 or 1 is drawn in few ways."""
    return mean_interval(np.frombuffer(sample), bounds=bounds, skewed=skewed)


@functools.lru_cache(maxsize=4)
def bootstrap_shares(images: int) -> DoubleArray:
    """(RESAMPLES, n): what share of a resample each image is."""
    return np.random.default_rng(0).multinomial(images, np.full(images, 1 / images), RESAMPLES) / images


def percentile_bootstrap(samples: DoubleArray) -> list[tuple[float, float]]:
    """The middle 95 % of the means of resamples, of each row of `samples`, (trials, n)."""
    ends = np.quantile(samples @ bootstrap_shares(samples.shape[1]).T, (0.025, 0.975), axis=1)
    return list(zip(*ends, strict=True))


def of_mean(kind: Kind, skewed: bool = True) -> Simulation:
    """One `mean_interval`, with the bootstrap beside it."""

    def simulate(generator: Generator, trials: int, images: int) -> Cell:
        samples = np.sort(kind.draw(generator, (trials, images)), axis=1)
        intervals = [interval_of(sample.tobytes(), kind.bounds, skewed) for sample in samples]
        return coverage(intervals, kind.mean), coverage(percentile_bootstrap(samples), kind.mean)

    return simulate


def of_groups(generator: Generator, trials: int, groups: int) -> Cell:
    """`mean_interval` of images of which those of one group share most of their value, with and without `groups`."""
    labels = np.repeat(np.arange(groups), GROUP)
    shared = generator.exponential(1, (trials, groups)) - 1
    samples = shared[:, labels] + generator.normal(0, 0.3, (trials, len(labels)))
    return coverage([mean_interval(sample, groups=labels.tolist()) for sample in samples], 0), coverage(
        percentile_bootstrap(samples), 0
    )


def of_chosen(kind: Kind, *, all_hold: bool) -> Simulation:
    """The intervals of METHODS exchangeable methods; or that of the highest mean, which is the one of `best_of`."""

    def simulate(generator: Generator, trials: int, images: int) -> Cell:
        scores = kind.draw(generator, (trials, images, METHODS))
        together = [simultaneous_intervals(matrix, bounds=kind.bounds) for matrix in scores]
        if not all_hold:
            best = scores.mean(1).argmax(1)
            return (coverage([tuple(rows[column]) for rows, column in zip(together, best, strict=True)], kind.mean),)
        widest_that_fails = [(rows[:, 0].max(), rows[:, 1].min()) for rows in together]
        return (coverage(widest_that_fails, kind.mean),)

    return simulate


def of_share(share: float) -> Simulation:
    """`wilson_interval`."""

    def simulate(generator: Generator, trials: int, images: int) -> Cell:
        interval = functools.cache(wilson_interval)
        return (coverage([interval(int(n), images) for n in generator.binomial(images, share, trials)], share),)

    return simulate


def of_share_difference(first: float, second: float) -> Simulation:
    """`difference_interval` of two shares of n images each."""

    def simulate(generator: Generator, trials: int, images: int) -> Cell:
        counts = generator.binomial(images, [first, second], (trials, 2)).tolist()
        interval = functools.cache(lambda a, b: difference_interval((a, images), (b, images)))
        return (coverage([interval(a, b) for a, b in counts], second - first),)

    return simulate


def of_superiority(draw: Draw, truth: float) -> Simulation:
    """`superiority` of the sign of a difference, which is all that it looks at, and of 0."""

    @functools.cache
    def interval(signs: bytes) -> tuple[float, float]:
        first = np.frombuffer(signs)
        result = superiority(first, np.zeros(len(first)))
        return result.low, result.high

    def simulate(generator: Generator, trials: int, images: int) -> Cell:
        signs = np.sort(np.sign(draw(generator, (trials, images))), axis=1)
        return (coverage([interval(row.tobytes()) for row in signs], truth),)

    return simulate


def of_correlation(pearson: float) -> Simulation:
    """`rank_correlation` of two normal quantities, whose Spearman correlation is 6/π · asin(ρ/2)."""
    truth = 6 / math.pi * math.asin(pearson / 2)

    def simulate(generator: Generator, trials: int, images: int) -> Cell:
        pairs = generator.multivariate_normal([0, 0], [[1, pearson], [pearson, 1]], (trials, images))
        results = [rank_correlation(*pair.T, permutations=1) for pair in pairs]
        return (coverage([(result.low, result.high) for result in results], truth),)

    return simulate


def of_separation(draw: Draw, others: Draw, truth: float) -> Simulation:
    """`separation`, a third of the images in the group."""

    def simulate(generator: Generator, trials: int, images: int) -> Cell:
        group = np.arange(images) < round(images / 3)
        values = np.where(group, draw(generator, (trials, images)), others(generator, (trials, images)))
        results = [separation(row, group, permutations=1) for row in values]
        return (coverage([(result.low, result.high) for result in results], truth),)

    return simulate


def clustered(generator: Generator, share: float, clusters: int) -> ClusteredShare:
    """Clusters of 1 to 6 things that are alike: each has a share of its own, around `share`."""
    sizes = generator.integers(1, 7, clusters)
    own = generator.beta(share, 1 - share, clusters)
    return ClusteredShare(generator.binomial(sizes, own).astype(np.float64), sizes.astype(np.float64))


def of_clustered_share(generator: Generator, trials: int, clusters: int) -> Cell:
    """`clustered_share_interval` of 30 %."""
    return (coverage([clustered_share_interval(clustered(generator, 0.3, clusters)) for _ in range(trials)], 0.3),)


def of_clustered_difference(generator: Generator, trials: int, clusters: int) -> Cell:
    """`clustered_difference_interval` of 30 % and 50 %, n clusters each."""
    pairs = ((clustered(generator, 0.3, clusters), clustered(generator, 0.5, clusters)) for _ in range(trials))
    return (coverage([clustered_difference_interval(*pair) for pair in pairs], 0.2),)


def of_grouped_correlation(generator: Generator, trials: int, groups: int) -> Cell:
    """`rank_correlation` of two unrelated quantities that images of a group share for the most part, with `groups`."""
    labels = np.repeat(np.arange(groups), GROUP)
    shared = generator.normal(size=(trials, 2, groups))[:, :, labels]
    pairs = shared + generator.normal(0, 0.3, (trials, 2, len(labels)))
    results = [rank_correlation(*pair, permutations=1, groups=labels.tolist()) for pair in pairs]
    return (coverage([(result.low, result.high) for result in results], 0),)


def ones_less_ones(generator: Generator, shape: tuple[int, ...]) -> DoubleArray:
    """A 0 or 1 with 60 % ones less one with 30 %: above 0 in 42 %, level in 46 %."""
    return ones(0.6)(generator, shape) - ones(0.3)(generator, shape)


def shifted(by: float) -> Draw:
    """Normal of mean `by`."""
    return lambda generator, shape: generator.normal(by, 1, shape)


def less_another(kind: Kind) -> Kind:
    """The difference of two independent draws."""
    draw = kind.draw
    return Kind(f"{kind.name}, two", lambda generator, shape: draw(generator, shape) - draw(generator, shape), 0)


def rows() -> list[Row]:
    """All intervals, each of what it is used for."""
    kinds = (*UNBOUNDED, *(replace(kind, bounds=None) for kind in BOUNDED))
    together = (("simultaneous_intervals", True), ("best_of", False))
    return [
        *(Row("mean_interval", kind.name, of_mean(kind)) for kind in kinds),
        *(Row("mean_interval within (0, 1)", kind.name, of_mean(kind)) for kind in BOUNDED),
        Row("mean_interval, groups", f"n groups of {GROUP} images", of_groups),
        *(Row("mean_interval, skewed=False", pair.name, of_mean(pair, False)) for pair in map(less_another, kinds)),
        *(
            Row(interval, f"{kind.name}, {METHODS} methods", of_chosen(kind, all_hold=all_hold))
            for interval, all_hold in together
            for kind in (UNBOUNDED[0], UNBOUNDED[1], BOUNDED[2])
        ),
        *(Row("superiority", f"normal, {by:g} apart", of_superiority(shifted(by), norm.cdf(by))) for by in (0, 1)),
        Row("superiority", "0 or 1, 60 % and 30 % ones", of_superiority(ones_less_ones, 0.65)),
        *(Row("wilson_interval", f"{share:g}", of_share(share)) for share in (0.5, 0.3, 0.1)),
        *(
            Row("difference_interval", f"{first:g} and {second:g}", of_share_difference(first, second))
            for first, second in ((0.5, 0.5), (0.2, 0.6), (0.05, 0.15))
        ),
        *(Row("rank_correlation", f"normal, ρ = {rho:g}", of_correlation(rho)) for rho in (0, 0.5, 0.9)),
        *(
            Row("separation", f"normal, {by:g} apart", of_separation(shifted(by), shifted(0), norm.cdf(by / 2**0.5)))
            for by in (0, 1, 2)
        ),
        Row("separation", "0 or 1, 70 % and 40 % ones", of_separation(ones(0.7), ones(0.4), 0.65)),
        Row("rank_correlation, groups", f"n groups of {GROUP} images, ρ = 0", of_grouped_correlation),
        Row("clustered_share_interval", "0.3, n clusters of 1 to 6", of_clustered_share),
        Row("clustered_difference_interval", "0.3 and 0.5, n clusters each", of_clustered_difference),
    ]


ROWS = rows()


def simulated(job: tuple[int, int, int]) -> Cell:
    """The cell of one row and n. `job`: (row, n, trials)."""
    row, images, trials = job
    return ROWS[row].simulate(np.random.default_rng((row, images)), trials, images)
