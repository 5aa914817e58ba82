"""Where units fire and where concepts are: pixels counted over images that pass by once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.dissection.thresholds import Thresholds
from lumiscope.types import BoolArray, DoubleArray, IntArray

Size: TypeAlias = tuple[int, int]
BLOCK = 2**24  # pixels of upsampled maps at a time


@dataclass(frozen=True)
class LabelledView:
    """What is annotated on one view of H x W pixels.

    `regions`: (H, W) int64, equal for pixels with the same concepts of all categories, 0..R-1. `present`: (P,) the
    concepts that are seen, each an index in 0..K-1. `members`: (R, P) float64, 1 where the region is of the concept,
    else 0. `annotated`: (C,) bool, the categories for which the image has a label map.
    """

    regions: IntArray
    present: IntArray
    members: DoubleArray
    annotated: BoolArray

    @classmethod
    def of(
        cls, label_maps: Mapping[str, NDArray[np.integer[Any]]], numbers: Mapping[str, Mapping[int, int]], size: Size
    ) -> LabelledView:
        """Make it of one map for each annotated category, (H, W) whole numbers, 0 for nothing.

        `numbers`: category -> number -> index of the concept, for all categories, in order.
        """
        regions = np.zeros(size, np.int64)
        present: list[int] = []
        members = np.ones((1, 0))
        for category, labels in label_maps.items():
            seen, places = np.unique(labels, return_inverse=True)
            known = seen > 0
            present += [numbers[category][number] for number in seen[known].tolist()]
            joined = regions.reshape(-1) * len(seen) + places.reshape(-1)
            kept, regions = np.unique(joined, return_inverse=True)
            members_of_labels = np.eye(len(seen))[:, known]
            members = np.hstack([members[kept // len(seen)], members_of_labels[kept % len(seen)]])
        annotated = np.array([category in label_maps for category in numbers])
        return cls(regions.reshape(size), np.array(present, np.int64), members, annotated)

    @property
    def masks(self) -> BoolArray:
        """(P, H, W) bool: where each of the concepts is."""
        return np.moveaxis(self.members[self.regions] > 0, -1, 0)

    @property
    def areas(self) -> IntArray:
        """(P,) the number of pixels of each of the concepts."""
        return np.asarray(np.bincount(self.regions.reshape(-1), minlength=len(self.members)) @ self.members, np.int64)

    def common(self, rows: IntArray, pixels: IntArray, count: int) -> IntArray:
        """(count, P) pixels that masks have in common with the concepts.

        `rows` and `pixels`: (n,) the mask, 0..count-1, and the pixel, row after row, of every pixel in a mask.
        """
        num_regions = len(self.members)
        places = rows * num_regions + self.regions.reshape(-1)[pixels]
        in_regions = np.bincount(places, minlength=count * num_regions).reshape(count, num_regions)
        return np.asarray(in_regions @ self.members, np.int64)


@dataclass(frozen=True)
class Overlaps:
    """Pixels counted over images: of U units, K concepts and C categories.

    `intersections`: (U, K), pixels where the unit fires and the concept is. `unit_pixels`: (U, C), pixels where the
    unit fires on images annotated for the category. `concept_pixels`: (K,). `categories`: (K,) the category of each
    concept, in 0..C-1. `chance`: (R, U) float64, the unit's highest IoU over all concepts with the annotations of other
    images, once for each of R pairings.
    """

    intersections: IntArray
    unit_pixels: IntArray
    concept_pixels: IntArray
    categories: IntArray
    chance: DoubleArray

    @property
    def iou(self) -> DoubleArray:
        """(U, K) float64 in [0, 1]; NaN where neither the unit nor the concept has a pixel."""
        return _iou(self.intersections, self.unit_pixels[:, self.categories], self.concept_pixels)


class OverlapStream:
    """Counts pixels where units fire and concepts are; integers, so the order of the images does not matter.

    A unit fires where its map, upsampled bilinearly to the size of the annotation, exceeds its threshold. An image
    counts for a category when it has a label map of it, with all pixels on which the unit fires. (The paper counts the
    images with at least one label of the category; its code those on which the unit touches one. Both leave out images
    on which a unit fires and the category is annotated, but absent, where a complete annotation says: wrong.)
    Units that are left out have an infinite threshold, and so never fire.

    `categories`: (K,) the category of each concept. `pairings`: how many times each image is counted again with the
    annotations of another one. Source: Bau et al. 2017, Network Dissection, section 2.3.
    """

    def __init__(self, thresholds: Thresholds, categories: IntArray, num_categories: int, pairings: int = 0) -> None:
        num_units, num_concepts = len(thresholds.values), len(categories)
        self._thresholds = torch.from_numpy(thresholds.values).float()
        self._categories = categories
        self._intersections = np.zeros((1 + pairings, num_units, num_concepts), np.int64)
        self._unit_pixels = np.zeros((1 + pairings, num_units, num_categories), np.int64)
        self._concept_pixels = np.zeros(num_concepts, np.int64)

    def add(self, maps: torch.Tensor, labels: LabelledView, others: Sequence[LabelledView] = ()) -> list[Fired]:
        """Count one image with maps (U, h, w); `others`: what is annotated on the images it is paired with.

        Over all images each has to be among the others of a pairing once, so that concepts keep their pixels.
        Returns where units fired.
        """
        self._concept_pixels[labels.present] += labels.areas
        fired = list(fired_masks(maps, self._thresholds, labels.regions.shape))
        for block in fired:
            rows, pixels = np.divmod(np.flatnonzero(block.masks), labels.regions.size)
            areas = np.bincount(rows, minlength=len(block.units))
            for number, view_labels in enumerate((labels, *others)):
                common = view_labels.common(rows, pixels, len(block.units))
                self._intersections[number][np.ix_(block.units, view_labels.present)] += common
                self._unit_pixels[number, block.units] += np.outer(areas, view_labels.annotated)
        return fired

    def overlaps(self) -> Overlaps:
        """What was counted."""
        shuffled = zip(self._intersections[1:], self._unit_pixels[1:], strict=True)
        chance = [
            _highest(_iou(common, pixels[:, self._categories], self._concept_pixels)) for common, pixels in shuffled
        ]
        return Overlaps(
            self._intersections[0],
            self._unit_pixels[0],
            self._concept_pixels,
            self._categories,
            np.stack(chance) if chance else np.zeros((0, self._intersections.shape[1])),
        )


@dataclass(frozen=True)
class Fired:
    """Some units that fire on an image: `units` (n,) and `masks` (n, H, W) bool, where."""

    units: IntArray
    masks: BoolArray


def fired_masks(maps: torch.Tensor, thresholds: torch.Tensor, size: tuple[int, ...]) -> Iterator[Fired]:
    """Where units fire on an image: maps (U, h, w) upsampled to `size`, above thresholds (U,); some units at a time.

    Bilinear between the centres of pixels, so no value exceeds the highest of the map: only units whose map itself
    exceeds the threshold somewhere are upsampled.
    """
    maps = maps.detach().float().cpu()
    active = (maps.amax((1, 2)) > thresholds).nonzero()[:, 0]
    most = max(1, BLOCK // (size[0] * size[1]))
    for start in range(0, len(active), most):
        units = active[start : start + most]
        large = torch.nn.functional.interpolate(maps[units][None], size, mode="bilinear", align_corners=False)[0]
        yield Fired(units.numpy(), (large > thresholds[units][:, None, None]).numpy())


def _iou(common: IntArray, unit_pixels: IntArray, concept_pixels: IntArray) -> DoubleArray:
    union = unit_pixels + concept_pixels - common
    iou: DoubleArray = np.divide(common, union, out=np.full(common.shape, np.nan), where=union > 0)
    return iou


def _highest(iou: DoubleArray) -> DoubleArray:
    """The highest of each row; NaN where there is none."""
    highest = np.where(np.isnan(iou), -np.inf, iou).max(axis=1, initial=-np.inf)
    return np.where(np.isinf(highest), np.nan, highest)
