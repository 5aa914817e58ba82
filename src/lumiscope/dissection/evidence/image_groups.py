"""Which images count as one: groups, and what may change places with what if a unit knew nothing of the images."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from lumiscope.statistics import numbered
from lumiscope.types import IntArray

SELECTION_SHARE = 2 / 3  # of the images, which choose and test labels; the others estimate
FEWEST_IMAGES = 6  # of which 2 estimate


@dataclass(frozen=True, eq=False)
class ImageGroups:
    """D images in G groups. `of`: (D,) the group of each image, 0 to G - 1, numbered as they come in the list.

    Images of one group come together: copies of a picture, shots of one scene, visits of one patient. Where all groups
    are single images, what is drawn here is what permutations of images give.
    """

    of: IntArray

    @classmethod
    def single(cls, num_images: int) -> ImageGroups:
        """Each image a group by itself."""
        return cls(np.arange(num_images))

    @classmethod
    def by(cls, keys: Iterable[Hashable]) -> ImageGroups:
        """Images with the same key, (D,), are a group."""
        return cls(np.array(numbered(keys), np.int64))

    def __len__(self) -> int:
        """How many groups there are."""
        return int(self.of.max()) + 1 if self.of.size else 0

    @functools.cached_property
    def first(self) -> IntArray:
        """(G,): the first image of each group."""
        return np.unique(self.of, return_index=True)[1]

    @functools.cached_property
    def _members(self) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Images by group, (D,); where each group begins, and its size, (G,); each image's place in its group, (D,)."""
        members = np.argsort(self.of, kind="stable")
        sizes = np.bincount(self.of)
        starts = np.cumsum(sizes) - sizes
        places = np.empty(len(self.of), np.int64)
        places[members] = np.arange(len(members)) - starts[self.of[members]]
        return members, starts, sizes, places

    def rearranged(self, content: IntArray) -> IntArray:
        """(D,): for each image the one that takes its place, if group g is taken by group `content`[g], (G,).

        A group that takes the place of a larger one repeats its images, of a smaller one it lends some of its own: what
        was a copy of one image stays one.
        """
        if len(self) == len(self.of):
            return content
        members, starts, sizes, places = self._members
        taken = content[self.of]
        return np.asarray(members[starts[taken] + places * sizes[taken] // sizes[self.of]])

    def permuted(self, random: np.random.Generator) -> IntArray:
        """(D,): the images with groups in other places, as a unit that knows nothing could as well have them."""
        return self.rearranged(random.permutation(len(self)))

    def resampled(self, random: np.random.Generator) -> IntArray:
        """(D,): images drawn with replacement, a group at a time."""
        return self.rearranged(random.integers(0, len(self), len(self)))

    def parted(self, random: np.random.Generator, share: float, block: int = 1) -> tuple[IntArray, IntArray]:
        """Part the images in two, each in rising order: the first has `share` of them or a few more, no group is cut.

        `block`: neighbouring groups that stay together.
        """
        runs = np.arange(len(self)) // max(block, 1)
        order = random.permutation(int(runs.max()) + 1 if runs.size else 0)
        run_of = runs[self.of]
        sizes = np.bincount(run_of, minlength=len(order))
        before = np.cumsum(sizes[order]) - sizes[order]
        in_first = np.zeros(len(order), np.bool_)
        in_first[order] = before < share * len(self.of) - 1e-9
        chosen = in_first[run_of]
        return np.flatnonzero(chosen), np.flatnonzero(~chosen)

    def among(self, images: IntArray) -> ImageGroups:
        """The groups of some of the images, numbered anew."""
        return ImageGroups.by(self.of[images])


@dataclass(frozen=True)
class KnownImages:
    """What is known of D images beforehand.

    `groups`: a key for each, the same for images that belong together, such as shots of one scene; None: nobody said.
    Where somebody did, the order of the list means nothing; else it is found out whether neighbours in it are alike.
    `classes`: the class of each; None: unknown. Classes are what a unit may respond to: that neighbours are alike
    because they are of one class is no matter of order.
    """

    groups: tuple[Hashable, ...] | None = None
    classes: tuple[Hashable, ...] | None = None

    def known(self, num_images: int) -> ImageGroups:
        """The groups that somebody said; each of `num_images` by itself where nobody did."""
        return ImageGroups.single(num_images) if self.groups is None else ImageGroups.by(self.groups)
