"""Do images come in clusters that nobody named, as shots of some scenes in a shuffled list do?"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, blocks
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.copies import CHANCE, coincides_by_chance
from lumiscope.dissection.evidence.image_groups import ImageGroups, KnownImages
from lumiscope.types import DoubleArray, IntArray

FEWEST_IMAGES = 20
LOOKED_AT = 300  # images, of which the nearest one is looked for among all
ONE_ABOVE = 0.8413  # of normal values are less than one standard deviation above the mean
CLUSTERED = 0.3  # of the images have another that is so near


def come_in_clusters(
    groups: ImageGroups, activations: Columns, concept_scores: Columns, images: KnownImages, seed: int
) -> bool:
    """Whether images are nearer to others than images are that have nothing to do with each other.

    `activations`: (D, U) of live units, `concept_scores`: (D, K). Columns are standardised, less the mean of the
    image's class where classes are known; the distance of two images is the sum of that in units and that in concepts,
    relative to what it usually is in either. True if 30 % of the images have another one nearer than the nearest one
    would be in 1 % of cases (`nearest_by_chance`): of independent images 1 % do. Of groups the first image is looked
    at. False with fewer than 20 groups, and where columns are so few that images coincide by chance.
    """
    count = len(groups)
    matrices = activations, concept_scores
    if count < FEWEST_IMAGES or not activations.shape[1] or coincides_by_chance(matrices):
        return False
    classes = (
        ImageGroups.single(count) if images.classes is None else ImageGroups.by(images.classes).among(groups.first)
    )
    of = classes.of if images.classes is not None and len(classes) < count else np.zeros(count, np.int64)
    sample = np.sort(generator(seed, "clusters").permutation(count)[:LOOKED_AT])
    units, concepts = (_distances(Selection(matrix, groups.first), of, sample) for matrix in matrices)
    distances = units + concepts
    others = sample[:, np.newaxis] != np.arange(count)
    nearest = np.where(others, distances, np.inf).min(axis=1)
    return bool(np.mean(nearest <= nearest_by_chance(distances[others], CHANCE / (count - 1))) >= CLUSTERED)


def nearest_by_chance(distances: DoubleArray, share: float) -> float:
    """The distance below which `share` of the pairs of images would be that have nothing to do with each other.

    `distances`: (n,) squared ones of pairs. Their cube roots are normal for normal columns (Wilson and Hilferty 1931);
    with the median as the mean and the deviation from there to the quantile of one deviation above: the distances
    below the median are those that clusters change.
    """
    middle, above = np.cbrt(np.quantile(distances, (0.5, ONE_ABOVE)))
    return float(max(0.0, middle + ndtri(share) * (above - middle)) ** 3)


def _distances(matrix: Columns, of: IntArray, sample: IntArray) -> DoubleArray:
    """(s, G): the squared distance of the images `sample` to all, over what it is on average."""
    sums, varied = np.zeros((len(sample), len(of))), 0
    sizes = np.bincount(of)[:, np.newaxis]
    for where in blocks(matrix, 4):
        columns = matrix[:, where].astype(np.float64)
        means = np.zeros((len(sizes), columns.shape[1]))
        np.add.at(means, of, columns)
        columns -= (means / sizes)[of]
        width = columns.std(axis=0)
        columns /= np.where(width > 0, width, np.inf)
        lengths = (columns**2).sum(axis=1)
        sums += lengths[sample, np.newaxis] + lengths - 2 * columns[sample] @ columns.T
        varied += int(np.count_nonzero(width > 0))
    return sums / max(2 * varied, 1)
