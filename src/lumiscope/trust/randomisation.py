"""Does a method's map change where everything that was trained is random, or another class is asked for?

Source: Adebayo et al. 2018, Sanity Checks for Saliency Maps, with what was found wrong since: signed maps, the network
random as a whole (layers randomised from the top keep the shape of what lies below: Binder et al. 2022, Shortcomings of
Top-Down Randomization-Based Sanity Checks), several random networks, and a flag in words. It ranks nothing: noise
changes most of all.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from lumiscope.agreement import CELLS, cell_means
from lumiscope.statistics import Groups, mean_interval, mean_of_known
from lumiscope.trust.ties import likeness
from lumiscope.types import DoubleArray, FloatArray

HALF = 0.5  # of the way from chance to the ceiling: less stays of a map that depends on what was randomised
MOST = 0.9  # and more of one that does not
WAY = 0.1  # that chance must lie below the ceiling
FEWEST = 3  # images
SAME = 1e-6  # between correlations: rounding


@dataclass(frozen=True)
class Randomisation:
    """How alike the maps of one method are before and after something is random.

    `of_images`: (I,) rank correlation on 14 x 14 cells, the mean over the random versions; NaN where undefined.
    `of_versions`: (N,) the mean over images. `low`, `high`: 95 % interval of the mean over images. `ceiling`: the same
    of maps under two seeds; 1 for a method that draws nothing. `chance`: of the trained maps of different images.
    """

    of_images: DoubleArray
    of_versions: DoubleArray
    low: float
    high: float
    ceiling: float
    chance: float

    @property
    def images(self) -> int:
        """On how many images maps could be compared."""
        return int(np.isfinite(self.of_images).sum())

    @property
    def similarity(self) -> float:
        """The mean over images; NaN where no maps could be compared."""
        return mean_of_known(self.of_images.tolist())

    @property
    def share(self) -> float:
        """Which share of the random versions is as similar as the method is to itself under another seed.

        With N versions none stands for a p-value of at most 1 / (N + 1). NaN where the similarity is.
        """
        known = self.of_versions[np.isfinite(self.of_versions)]
        return float((known >= self.ceiling - SAME).mean()) if len(known) else math.nan

    @property
    def depends(self) -> bool | None:
        """Whether the map depends on what was randomised; None: cannot be told.

        It does where less than half stays of what maps of one image share and those of two do not, and does not where
        nine tenths do; for each of the random versions, and at the end of the interval.
        """
        if self.images < FEWEST or not math.isfinite(self.ceiling + self.chance + self.low):
            return None
        known = self.of_versions[np.isfinite(self.of_versions)]
        if self.has_way and max(self.high, *known) < self.at(HALF):
            return True
        return False if min(self.low, *known) >= self.at(MOST) - SAME else None

    @property
    def has_way(self) -> bool:
        """Whether maps of one image are more alike than those of two, so that something can be lost."""
        return self.ceiling - self.chance >= WAY

    def at(self, share: float) -> float:
        """The similarity at a share of the way from chance to the ceiling."""
        return self.ceiling - (1 - share) * max(self.ceiling - self.chance, 0.0)

    @property
    def reason(self) -> str:
        """Why that is said, in numbers."""
        if self.images < FEWEST:
            return f"maps of {self.images} images could be compared; {FEWEST} are needed"
        if not math.isfinite(self.ceiling + self.chance + self.low):
            return "the maps of different images, or of two seeds, could not be compared"
        said = f"similarity {self.similarity:.2f} ({self.low:.2f} to {self.high:.2f})"
        way = f"from chance ({self.chance:.2f}) to the ceiling ({self.ceiling:.2f})"
        if self.depends:
            return f"{said} is below {self.at(HALF):.2f}, half way {way}"
        if self.depends is False:
            return f"{said} reaches {self.at(MOST):.2f}, nine tenths of the way {way}"
        if not self.has_way:
            return f"maps of different images ({self.chance:.2f}) are as alike as those of one ({self.ceiling:.2f})"
        return f"{said} is neither below {self.at(HALF):.2f}, half way, nor above {self.at(MOST):.2f}, {way}"


def compare_randomised(
    trained: DoubleArray,
    randomised: DoubleArray,
    reseeded: DoubleArray | None = None,
    *,
    groups: Groups | None = None,
    seed: int = 0,
) -> Randomisation:
    """Compare the maps of one method, image by image.

    `trained`: (I, H, W) signed maps of I images by the trained network. `randomised`: (N, I, H, W) those of N random
    networks for the same classes and under the same seed, so that only the network differs; or (1, I, H, W) the
    trained network's for other classes. `reseeded`: (I, H, W) the trained network's under another seed; None for a
    method that draws nothing. `groups`: (I,) which images belong together.
    """
    cells = _cells(trained)
    versions = [_cells(maps) for maps in randomised]
    table = np.array([[likeness(a, b) for a, b in zip(cells, some, strict=True)] for some in versions])
    table = table.reshape(len(versions), len(cells))
    of_images = np.array([mean_of_known(column.tolist()) for column in table.T])
    low, high = _interval(of_images, groups, seed)
    again = [1.0] if reseeded is None else [likeness(a, b) for a, b in zip(cells, _cells(reseeded), strict=True)]
    return Randomisation(
        of_images=of_images,
        of_versions=np.array([mean_of_known(row.tolist()) for row in table]),
        low=low,
        high=high,
        ceiling=mean_of_known(again),
        chance=mean_of_known([likeness(a, b) for a, b in itertools.combinations(cells, 2)]),
    )


def coarse_map(values: FloatArray | DoubleArray) -> DoubleArray:
    """(H, W) -> (14, 14), or fewer where there are fewer pixels: all that `compare_randomised` needs of a map."""
    return cell_means(values).reshape(min(CELLS, len(values)), -1)


def _cells(maps: DoubleArray) -> list[DoubleArray]:
    return [cell_means(values) for values in maps]


def _interval(values: DoubleArray, groups: Groups | None, seed: int) -> tuple[float, float]:
    """Of the mean of those that are known. A similarity that is the same on all images has no spread: that number."""
    known = np.isfinite(values)
    sample = values[known]
    if len(sample) >= FEWEST and np.ptp(sample) < SAME:
        return float(sample.mean()), float(sample.mean())
    labels = None if groups is None else [label for label, is_known in zip(groups, known, strict=True) if is_known]
    low, high = mean_interval(sample, groups=labels, seed=seed)
    return max(low, -1.0), min(high, 1.0)
