"""Maps that know nothing of the picture, which every method must beat; and maps made worse by known degrees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from lumiscope.trust.candidates import Candidate
from lumiscope.types import DoubleArray

BLOB = 1 / 4  # standard deviation of the centred Gaussian, of the side: where photographers put things
LEVELS = (0.25, 0.5, 0.75, 1.0)  # how much of a degraded map is noise


def _random(size: tuple[int, int], random: np.random.Generator) -> DoubleArray:
    """Every pixel independent."""
    return random.random(size)


def _blob(size: tuple[int, int], random: np.random.Generator) -> DoubleArray:
    """A Gaussian of the width of the centred one, at a random place: as coherent as maps are."""
    return _gaussian(size, random.random(2))


def _centred(size: tuple[int, int], random: np.random.Generator) -> DoubleArray:
    """A Gaussian in the middle."""
    return _gaussian(size, np.full(2, 0.5))


def _constant(size: tuple[int, int], random: np.random.Generator) -> DoubleArray:
    """The same everywhere."""
    return np.ones(size)


BASELINES: dict[str, Callable[[tuple[int, int], np.random.Generator], DoubleArray]] = {
    "random": _random,
    "blob": _blob,
    "centred": _centred,
    "constant": _constant,
}
"""Name -> what makes a map of a view's size."""
DRAWN = ("random", "blob")  # by the seed


def baseline_maps(size: tuple[int, int], seed: int) -> list[Candidate]:
    """One map of each kind, which is the same for every picture. `seed`: of the view."""
    return [_baseline(name, size, seed) for name in BASELINES]


def _baseline(name: str, size: tuple[int, int], seed: int) -> Candidate:
    number = list(BASELINES).index(name)

    def reseeded(further: int) -> DoubleArray:
        return BASELINES[name](size, np.random.default_rng([seed, number, further]))

    values = BASELINES[name](size, np.random.default_rng([seed, number]))
    return Candidate(name, values, lambda pictures: [values] * len(pictures), reseeded if name in DRAWN else None)


def degraded(candidate: Candidate, seed: int) -> list[Candidate]:
    """The map with more and more noise, and last upside down: a metric that means something falls along them.

    Ranks of pixels are mixed with ranks of noise that is as coherent as the map: itself, moved by a random shift on the
    torus. Shares of noise: `LEVELS`. All of them have the very values of the map, in other places, so that what a
    metric notices is where they are.
    """
    in_order = np.sort(candidate.values, axis=None)
    ranks = rankdata(candidate.values).reshape(candidate.values.shape)
    random = np.random.default_rng([seed, 1009])
    shift = tuple(int(random.integers(side // 4, side - side // 4)) for side in ranks.shape)
    noise = np.roll(ranks, shift, axis=(0, 1))
    orders = {f"{level:.0%} noise": (1 - level) * ranks + level * noise for level in LEVELS} | {"inverted": -ranks}
    return [Candidate(f"{candidate.name} {how}", _placed(in_order, order)) for how, order in orders.items()]


def _placed(in_order: DoubleArray, order: DoubleArray) -> DoubleArray:
    """(H, W): sorted values, (H · W,), put where `order` rises."""
    values = np.empty_like(in_order)
    values[np.argsort(order, axis=None, kind="stable")] = in_order
    return values.reshape(order.shape)


def _gaussian(size: tuple[int, int], place: DoubleArray) -> DoubleArray:
    rows, columns = (np.arange(side) / max(side - 1, 1) - at for side, at in zip(size, place, strict=True))
    return np.asarray(np.exp(-(rows[:, np.newaxis] ** 2 + columns**2) / (2 * BLOB**2)))
