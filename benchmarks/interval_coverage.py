"""What `benchmarks/statistics.py` simulates: how often intervals hold the truth on data like those of images."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from lumiscope.statistics import (
    best_of,
    difference_interval,
    mean_interval,
    rank_correlation,
    separation,
    superiority,
    wilson_interval,
)
from lumiscope.types import DoubleArray

SIZES = (3, 5, 10, 30, 100)
Draw = Callable[[np.random.Generator, int], DoubleArray]


def zeros_and_beta(zeros: float) -> Draw:
    """Like IoU: many images without any overlap."""
    return lambda rng, n: np.where(rng.random(n) < zeros, 0.0, rng.beta(3, 3, n))


@dataclass(frozen=True)
class Data:
    """What means are taken of. `draw`: n values; `mean`: the truth."""

    draw: Draw
    mean: float
    bounds: tuple[float, float] | None = None
    skewed: bool = True


DATA = {
    "normal": Data(lambda rng, n: rng.normal(size=n), 0.0),
    "exponential": Data(lambda rng, n: rng.exponential(size=n), 1.0),
    "lognormal, σ = 0.5": Data(lambda rng, n: rng.lognormal(0, 0.5, n), math.exp(0.125)),
    "lognormal, σ = 1": Data(lambda rng, n: rng.lognormal(0, 1, n), math.exp(0.5)),
    "differences, skewed alike": Data(
        lambda rng, n: rng.exponential(size=n) - rng.exponential(size=n), 0.0, None, False
    ),
    "uniform in [0, 1]": Data(lambda rng, n: rng.random(n), 0.5, (0, 1)),
    "beta(½, ½)": Data(lambda rng, n: rng.beta(0.5, 0.5, n), 0.5, (0, 1)),
    "beta(8, 2)": Data(lambda rng, n: rng.beta(8, 2, n), 0.8, (0, 1)),
    "IoU, 30 % zeros": Data(zeros_and_beta(0.3), 0.35, (0, 1)),
    "IoU, 50 % zeros": Data(zeros_and_beta(0.5), 0.25, (0, 1)),
    "0 or 1, p = 0.3": Data(lambda rng, n: (rng.random(n) < 0.3).astype(float), 0.3, (0, 1)),
}


def of_mean(name: str, size: int, trials: int) -> tuple[float, float]:
    """Coverage of `mean_interval`, and of the percentile bootstrap."""
    data, rng = DATA[name], np.random.default_rng(size)
    ours, theirs = [], []
    for trial in range(trials):
        values = data.draw(rng, size)
        low, high = mean_interval(values, bounds=data.bounds, skewed=data.skewed, seed=trial)
        ours.append(math.isnan(low) or low <= data.mean <= high)
        means = values[rng.integers(0, size, (500, size))].mean(1)
        low, high = np.quantile(means, [0.025, 0.975])
        theirs.append(low <= data.mean <= high)
    return float(np.mean(ours)), float(np.mean(theirs))


def of_share(rng: np.random.Generator, n: int) -> bool:
    """`wilson_interval` of p = 0.3."""
    low, high = wilson_interval(int(rng.binomial(n, 0.3)), n)
    return low <= 0.3 <= high


def of_difference(rng: np.random.Generator, n: int) -> bool:
    """`difference_interval` of shares 0.3 and 0.5."""
    low, high = difference_interval((int(rng.binomial(n, 0.3)), n), (int(rng.binomial(n, 0.5)), n))
    return low <= 0.2 <= high


def of_correlation(rng: np.random.Generator, n: int) -> bool:
    """`rank_correlation` of normal numbers that correlate by 0.5."""
    a, noise = rng.normal(size=(2, n))
    known = rank_correlation(a, 0.5 * a + math.sqrt(0.75) * noise, permutations=1)
    truth = 6 / math.pi * math.asin(0.25)
    return math.isnan(known.low) or known.low <= truth <= known.high


def of_auroc(rng: np.random.Generator, n: int) -> bool:
    """`separation`, a third of the images a standard deviation higher."""
    group = np.arange(n) < max(1, n // 3)
    known = separation(rng.normal(size=n) + group, group, permutations=1)
    return bool(known.low <= norm.cdf(1 / math.sqrt(2)) <= known.high)


def of_superiority(rng: np.random.Generator, n: int) -> bool:
    """`superiority` of differences that are half a standard deviation above 0."""
    known = superiority(rng.normal(0.5, 1, n), np.zeros(n))
    return bool(known.low <= norm.cdf(0.5) <= known.high)


def of_best(rng: np.random.Generator, n: int) -> bool:
    """`best_of` four methods that are alike: the interval of the one that was chosen."""
    best = best_of(rng.beta(3, 3, (n, 4)), bounds=(0, 1))
    return best.low <= 0.5 <= best.high


OTHERS: dict[str, Callable[[np.random.Generator, int], bool]] = {
    "a share of 0.3": of_share,
    "difference of two shares": of_difference,
    "rank correlation of 0.48": of_correlation,
    "AUROC of 0.76": of_auroc,
    "P(A higher than B) of 0.69": of_superiority,
    "mean of the best of four": of_best,
}


def of_other(name: str, size: int, trials: int) -> float:
    """Coverage of another interval."""
    rng = np.random.default_rng(size)
    return float(np.mean([OTHERS[name](rng, size) for _ in range(trials)]))


def print_tables(trials: int, jobs: int) -> None:
    """Simulate, and print both tables."""
    started = time.perf_counter()
    header = "| {} | " + " | ".join(f"n = {size}" for size in SIZES) + " |\n| --- |" + " --: |" * len(SIZES)
    with ProcessPoolExecutor(jobs) as pool:
        means = {(name, size): pool.submit(of_mean, name, size, trials) for name in DATA for size in SIZES}
        others = {(name, size): pool.submit(of_other, name, size, trials) for name in OTHERS for size in SIZES}
        print(header.format("mean of (beside: percentile bootstrap)"))
        for name in DATA:
            cells = [means[name, size].result() for size in SIZES]
            print(
                f"| {name} | " + " | ".join(f"{100 * ours:.1f} ({100 * theirs:.1f})" for ours, theirs in cells) + " |"
            )
        print("\n" + header.format("interval of"))
        for name in OTHERS:
            print(f"| {name} | " + " | ".join(f"{100 * others[name, size].result():.1f}" for size in SIZES) + " |")
    error = 100 * math.sqrt(0.95 * 0.05 / trials)
    print(f"\n{trials} trials a cell (standard error {error:.1f}), {time.perf_counter() - started:.0f} s.")
