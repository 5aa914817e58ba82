"""Planted units: activations of which it is known what they respond to, for marking those who name units."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.types import BoolArray, DoubleArray, FloatArray, IntArray
from lumiscope.world.renderer.facts import describe
from lumiscope.world.renderer.scene import Scene
from lumiscope.world.renderer.vocabulary import SCENES, WORDS

FREQUENCIES = (0.5, 0.1, 0.01, 0.001)
NULLS: Mapping[str, Callable[[np.random.Generator, int], DoubleArray]] = {
    "gaussian": lambda generator, count: generator.normal(size=count),
    "sparse": lambda generator, count: _sparse(generator, count),
    "heavy-tailed": lambda generator, count: generator.standard_t(2, count),
}
SILENT = ("dead", "constant")
NEAR = 1.5  # how many times more or less often than asked for a planted concept may be seen
PAIRED = (0.05, 0.5)  # how often the halves of an "or" or an "and" may be seen
FEWEST_TOGETHER = 20  # images that show both halves of an "and"
OVERLAP = 0.5  # of the images that show one half of an "or" or an "and", at most so many show the other, too


@dataclass(frozen=True)
class PlantedUnit:
    """What a unit responds to.

    `kind`: "single", "or" and "and" of `concepts` (columns of the presence), "dead" (0 on every image), "constant"
    (another number on every image), or one of NULLS: noise that no concept has to do with.
    `frequency`: of a single concept, the share of images that was asked for; else NaN.
    """

    kind: str
    concepts: tuple[int, ...] = ()
    frequency: float = math.nan

    def responds_to(self, presence: BoolArray) -> BoolArray:
        """(D,): the images on which the unit would be active without noise. `presence`: (D, K)."""
        if not self.concepts:
            return np.zeros(len(presence), np.bool_)
        shown = presence[:, list(self.concepts)]
        return np.asarray(shown.all(axis=1) if self.kind == "and" else shown.any(axis=1))


@dataclass(frozen=True)
class Noise:
    """How a planted unit errs.

    Active, it gives 1 + N(0, `spread`); silent, N(0, `background`); both with a ReLU, so that half of the silent
    images give 0. On the share `missed` of the images that it responds to it is silent, and on as many others as
    `false_alarms` times their number it is active (a fixed share of all images would bury a rare concept).
    """

    spread: float = 0.25
    background: float = 0.2
    missed: float = 0.05
    false_alarms: float = 0.05


NOISE = Noise()


def words_present(scenes: Iterable[Scene]) -> BoolArray:
    """(D, K): which words have a pixel in which picture; K runs through the kinds and words of WORDS."""
    rows = [
        np.concatenate(
            [np.bincount(scene.labels[kind].ravel(), minlength=len(words) + 1)[1:] for kind, words in WORDS.items()]
        )
        for scene in scenes
    ]
    return np.asarray(rows) > 0


def images_with_rare_scenes(count: int, seed: int, rare: Mapping[str, int]) -> list[int]:
    """The first `count` images of `seed` of which no more than `rare[word]` have the scene `word`, in random order.

    Nothing in the world is rarer than one picture in twenty; this makes scenes, with their parts, as rare as wanted. In
    the order of the world the rare ones would all be at the beginning, which dissection would see.
    Raises UsageError where all scenes are limited, and could so not fill `count` images.
    """
    if set(rare) >= set(SCENES):
        raise UsageError("expected at least one scene that is not rare, to fill the images with")
    taken: list[int] = []
    scenes: Counter[str] = Counter()
    index = 0
    while len(taken) < count:
        scene = describe(index, seed).scene
        if scenes[scene] < rare.get(scene, count):
            scenes[scene] += 1
            taken.append(index)
        index += 1
    return [taken[place] for place in np.random.default_rng(seed).permutation(count)]


def plan_units(
    presence: BoolArray, *, seed: int = 0, singles: int = 50, pairs: int = 50, nulls: int = 100, silent: int = 10
) -> tuple[PlantedUnit, ...]:
    """Choose what units respond to: so many single concepts at each of FREQUENCIES, and so many of each other kind.

    `presence`: (D, K). A single concept is one whose share of images is within a factor NEAR of the frequency, or
    the nearest where there is none. The halves of an "or" and an "and" lie apart (OVERLAP), so that both matter;
    fewer are planned where too few pairs do.
    """
    generator = np.random.default_rng(seed)
    units: list[PlantedUnit] = []
    for frequency in FREQUENCIES:
        concepts = _concepts_at(frequency, presence)
        chosen = np.resize(generator.permutation(concepts), singles)
        units += [PlantedUnit("single", (int(concept),), frequency) for concept in chosen]
    for kind, candidates in (("or", _or_pairs(presence)), ("and", _and_pairs(presence))):
        some = generator.permutation(len(candidates))[:pairs]
        units += [PlantedUnit(kind, candidates[place]) for place in some]
    units += [PlantedUnit(kind) for kind in NULLS for _ in range(nulls)]
    units += [PlantedUnit(kind) for kind in SILENT for _ in range(silent)]
    return tuple(units)


def plant(units: Sequence[PlantedUnit], presence: BoolArray, *, noise: Noise = NOISE, seed: int = 0) -> FloatArray:
    """(D, U) activations of planted units. `presence`: (D, K). Unit u draws from a generator of (`seed`, u)."""
    columns = [
        _activations(unit, presence, noise, np.random.default_rng((seed, number))) for number, unit in enumerate(units)
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _activations(unit: PlantedUnit, presence: BoolArray, noise: Noise, generator: np.random.Generator) -> DoubleArray:
    count = len(presence)
    if unit.kind in NULLS:
        return NULLS[unit.kind](generator, count)
    if unit.kind in SILENT:
        return np.full(count, 0.0 if unit.kind == "dead" else generator.uniform(0.1, 1))
    active = unit.responds_to(presence)
    on, off = np.flatnonzero(active), np.flatnonzero(~active)
    active[generator.choice(on, generator.binomial(len(on), noise.missed), replace=False)] = False
    alarms = min(generator.binomial(len(on), noise.false_alarms), len(off))
    active[generator.choice(off, alarms, replace=False)] = True
    values = np.where(active, generator.normal(1, noise.spread, count), generator.normal(0, noise.background, count))
    return np.maximum(values, 0)


def _sparse(generator: np.random.Generator, count: int) -> DoubleArray:
    """Active on few images, from one in 500 to one in 5, as units after a ReLU are."""
    share = np.exp(generator.uniform(np.log(0.002), np.log(0.2)))
    active = generator.choice(count, min(max(round(share * count), 2), count), replace=False)
    values = np.zeros(count)
    values[active] = np.abs(generator.normal(size=len(active)))
    return values


def _concepts_at(frequency: float, presence: BoolArray) -> IntArray:
    """The concepts that are about as frequent, or those that are least far from it."""
    with np.errstate(divide="ignore"):
        distance = np.abs(np.log(presence.mean(axis=0) / frequency))
    near: IntArray = np.flatnonzero(distance <= max(np.log(NEAR), distance.min()))
    return near


def _pairs(presence: BoolArray) -> tuple[IntArray, IntArray, DoubleArray, DoubleArray]:
    """Pairs of concepts that are neither rare nor everywhere: a, b, images with both, images with each (2, n)."""
    seen = presence.sum(axis=0, dtype=np.float64)
    usable = np.flatnonzero((seen >= PAIRED[0] * len(presence)) & (seen <= PAIRED[1] * len(presence)))
    first, second = np.triu_indices(len(usable), 1)
    shown = presence[:, usable].astype(np.float64)
    both = (shown.T @ shown)[first, second]
    a, b = usable[first], usable[second]
    return a, b, both, np.stack([seen[a], seen[b]])


def _or_pairs(presence: BoolArray) -> list[tuple[int, int]]:
    a, b, both, each = _pairs(presence)
    return _listed(a, b, _apart(both, each))


def _and_pairs(presence: BoolArray) -> list[tuple[int, int]]:
    a, b, both, each = _pairs(presence)
    return _listed(a, b, _apart(both, each) & (both >= FEWEST_TOGETHER))


def _apart(both: DoubleArray, each: DoubleArray) -> BoolArray:
    return np.asarray((both <= OVERLAP * each).all(axis=0))


def _listed(a: IntArray, b: IntArray, kept: BoolArray) -> list[tuple[int, int]]:
    return list(zip(a[kept].tolist(), b[kept].tolist(), strict=True))
