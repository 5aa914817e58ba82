"""What agreement is worth: masks of one image beside masks of different images.

Real maps are smooth and like the centre, so that those of unrelated pictures overlap more than masks of their areas
placed at random. What two methods have in common *because of the picture* is what the masks of one picture share
beyond that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lumiscope.runs import GROUND_TRUTH, VOID, ImageGroups
from lumiscope.statistics import numbered, pairing_test
from lumiscope.types import BoolArray, DoubleArray, FloatArray

Masks = Mapping[str, BoolArray]
"""Method -> its mask, (H, W) bool, of one image."""
Image = TypeVar("Image")
AT_ONCE = 64  # images that are compared with one another; of more, sets at random
EACH_ALONE = ImageGroups()


@dataclass(frozen=True)
class OtherImages:
    """Two methods on different images. `iou`: the mean IoU of a's mask of one image and b's of another.

    `by_image`: image -> the mean IoU of either one's mask of it with the other's of different images; NaN for a single
    image. `p_value`: of the mean IoU on the same images, if each mask of a could as well be of any other image; see
    `pairing_test`. Without images all is NaN; with a single one the p-value is 1.
    """

    method_a: str
    method_b: str
    iou: float
    by_image: Mapping[str, float]
    p_value: float


def compare_other_images(
    images: Mapping[str, Masks], *, groups: ImageGroups = EACH_ALONE, seed: int = 0
) -> list[OtherImages]:
    """Every pair of methods, in the order in which methods first appear. `images`: by their ids.

    A pair counts the images that have both masks, at least one of them not empty; with the true masks
    ("ground_truth") those of which something is on the view, and of their pixels those that "void" leaves. An empty
    mask has the IoU 0 with any other. `groups`: images that belong together are one witness, see `pairing_test`.
    `seed`: which images are compared with one another where there are many, and which pairings are drawn.
    """
    methods = list(dict.fromkeys(method for masks in images.values() for method in masks if method != VOID))
    methods.sort(key=lambda method: method == GROUND_TRUTH)
    return [_compare(images, a, b, groups, seed) for a, b in itertools.combinations(methods, 2)]


def _compare(images: Mapping[str, Masks], method_a: str, method_b: str, groups: ImageGroups, seed: int) -> OtherImages:
    both = [name for name, masks in images.items() if method_a in masks and method_b in masks]
    with_truth = method_b == GROUND_TRUTH
    defined = [
        name for name in both if images[name][method_b].any() or (not with_truth and images[name][method_a].any())
    ]
    labels = dict(zip(defined, groups.labels(defined), strict=True))
    sets = list(image_sets(defined, list(labels.values()), seed))
    matrices = [
        cross_iou(
            [images[name][method_a] for name in some],
            [images[name][method_b] for name in some],
            [images[name].get(VOID) if with_truth else None for name in some],
        )
        for some in sets
    ]
    by_image = {
        name: float(mean)
        for some, matrix in zip(sets, matrices, strict=True)
        for name, mean in zip(some, _means_of_others(matrix), strict=True)
    }
    mean, p_value = pairing_test(matrices, groups=[[labels[name] for name in some] for some in sets], seed=seed)
    return OtherImages(method_a, method_b, mean, {name: by_image[name] for name in defined}, p_value)


def _means_of_others(matrix: DoubleArray) -> DoubleArray:
    """(m,): the mean of row and column of each image, without the image itself."""
    others = 2 * (len(matrix) - 1)
    sums = matrix.sum(0) + matrix.sum(1) - 2 * np.diag(matrix)
    return np.asarray(sums / others) if others else np.full(len(matrix), np.nan)


def image_sets(images: Sequence[Image], labels: Sequence[Hashable], seed: int) -> Iterator[list[Image]]:
    """All together, or sets of at most `AT_ONCE` that are equally large but for one, at random.

    `labels`: the group of each image; those of one group come one after the other, in as few sets as that allows.
    """
    if len(images) <= AT_ONCE:
        if images:
            yield list(images)
        return
    rng = np.random.default_rng(seed)
    numbers = np.array(numbered(labels))
    order = np.lexsort((rng.permutation(len(images)), rng.permutation(numbers.max() + 1)[numbers]))
    for places in np.array_split(order, math.ceil(len(images) / AT_ONCE)):
        yield [images[place] for place in places]


def cross_iou(
    masks_a: Sequence[BoolArray], masks_b: Sequence[BoolArray], void: Sequence[BoolArray | None] | None = None
) -> DoubleArray:
    """(m, n) IoU of each of m masks with each of n, all of one size; 0 where both are empty.

    `void`: for each of the n the pixels that do not count, of either mask; None: all do.
    """
    a, b = (_flat(masks) for masks in (masks_a, masks_b))
    sizes = a.sum(1, dtype=np.float64)[:, np.newaxis]
    if void is not None and any(unknown is not None for unknown in void):
        known = np.ones_like(b)
        for row, unknown in enumerate(void):
            if unknown is not None:
                known[row] = ~unknown.ravel()
        b *= known
        sizes = (a @ known.T).astype(np.float64)
    common = (a @ b.T).astype(np.float64)  # whole numbers, exact in float32 up to 2^24 pixels
    union = sizes + b.sum(1, dtype=np.float64) - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))


def _flat(masks: Sequence[BoolArray]) -> FloatArray:
    return np.stack([mask.ravel() for mask in masks]).astype(np.float32)
