"""Which images may take each other's place where nothing is to be found."""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from lumiscope.statistics._kept_draws import Block
from lumiscope.statistics.groups import Groups, group_numbers
from lumiscope.types import IntArray

Alike = tuple[IntArray, ...]
"""Groups of equal size, image by image, in each stratum: (g, s) images of g groups that have s in it, or none."""


@dataclass(frozen=True, eq=False)
class Exchange:
    """The orders of images in which whole groups of equal size change places, and images within their group.

    Images that belong together stay together. A group of which no other has the size keeps its place; where each image
    is a group, all n! orders are among them. `alike`: the groups that may change places. Of equal groups `of` gives the
    same object.
    """

    things: int
    alike: tuple[Alike, ...]

    @classmethod
    def of(cls, images: int, groups: Groups | None = None, strata: IntArray | None = None) -> Exchange:
        """Images stay in their stratum, (n,) int: groups are of equal size if they are in each of them.

        Raises UsageError unless there is one group label per image.
        """
        layers = [0] * images if strata is None else strata.tolist()
        return _exchange(
            tuple(group_numbers(range(images) if groups is None else groups, images).tolist()), tuple(layers)
        )

    def drawn(self, generator: np.random.Generator, count: int) -> Block:
        """(n, count): orders drawn at random, each a column: at each place the image that comes there."""
        orders = np.empty((count, self.things), np.int64)
        for strata in self.alike:
            places = generator.permuted(np.tile(np.arange(len(strata[0])), (count, 1)), axis=1)
            for members in strata:
                arrived = members[places]
                if members.shape[1] > 1:
                    arrived = generator.permuted(arrived, axis=2)
                orders[:, members.ravel()] = arrived.reshape(count, -1)
        return np.ascontiguousarray(orders.T, np.min_scalar_type(self.things))

    @property
    def log_count(self) -> float:
        """The logarithm of how many orders there are."""
        of_groups = sum(math.lgamma(len(strata[0]) + 1) for strata in self.alike)
        within = (len(members) * math.lgamma(members.shape[1] + 1) for strata in self.alike for members in strata)
        return of_groups + sum(within)


@functools.lru_cache(16)
def _exchange(groups: tuple[int, ...], strata: tuple[int, ...]) -> Exchange:
    """`groups`, `strata`: the number of each image's."""
    members: dict[int, dict[int, list[int]]] = {}
    for image, (group, stratum) in enumerate(zip(groups, strata, strict=True)):
        members.setdefault(group, {}).setdefault(stratum, []).append(image)
    alike: dict[Hashable, list[list[list[int]]]] = {}
    for parts in members.values():
        kind = tuple((stratum, len(parts[stratum])) for stratum in sorted(parts))
        alike.setdefault(kind, []).append([parts[stratum] for stratum in sorted(parts)])
    return Exchange(len(groups), tuple(tuple(map(np.array, zip(*same, strict=True))) for same in alike.values()))


def least_p_value(groups: Groups) -> float:
    """No p-value of a permutation of images is below this: one over the orders of images that come in such `groups`."""
    return math.exp(-Exchange.of(len(groups), groups).log_count)
