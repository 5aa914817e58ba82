"""Images that belong together, such as those of one class, are one observation."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.types import DoubleArray, IntArray

Groups = Sequence[Hashable]
"""One label per image: images of one label are resampled, or flipped, together."""


@dataclass(frozen=True)
class Grouped:
    """Sums over the images of each of G groups. `sums`: (G, ...); `sizes`: (G,), how many images each has."""

    sums: DoubleArray
    sizes: DoubleArray

    def __len__(self) -> int:
        return len(self.sizes)

    def linearised(self) -> DoubleArray:
        """(G,): numbers whose mean is that over images, and whose spread is that of this mean over groups.

        The mean over images is a ratio of two sums over groups; this is its linearisation (Cochran 1977, Sampling
        Techniques, section 6.3). Where every group is one image it gives the values. For `sums` of shape (G,).
        """
        mean = self.sums.sum() / self.sizes.sum()
        return np.asarray(mean + (self.sums - mean * self.sizes) / self.sizes.mean())


def grouped(values: DoubleArray, groups: Groups | None) -> Grouped:
    """Add up `values`, (n, ...), by group, in the order in which the groups first appear; None: each image by itself.

    Raises UsageError unless there is one group label per image.
    """
    if groups is None:
        return Grouped(values, np.ones(len(values)))
    members = group_numbers(groups, len(values))
    count = int(members.max(initial=-1)) + 1
    sums = np.zeros((count, *values.shape[1:]))
    np.add.at(sums, members, values)
    return Grouped(sums, np.bincount(members, minlength=count).astype(np.float64))


def group_numbers(groups: Groups, images: int) -> IntArray:
    """(n,): the number of each image's group, counted from 0 in the order in which the groups first appear."""
    if len(groups) != images:
        raise UsageError(f"groups need one label per image; got {len(groups)} labels for {images} images")
    return np.array(numbered(groups), np.int64)


def clusters(groups: Groups | None, images: int) -> Groups | None:
    """`groups`; None where each image is by itself. Raises UsageError unless there is one label per image."""
    return None if groups is None or len(set(group_numbers(groups, images).tolist())) == images else groups


def numbered(keys: Iterable[Hashable]) -> list[int]:
    """A number for each key, the same for equal ones, from 0 in the order in which they first appear."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]
