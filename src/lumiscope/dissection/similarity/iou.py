"""IoU of the images that activate a unit and those that show a concept, at the best threshold on the activation."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.f1 import f1
from lumiscope.dissection.similarity.thresholds import PresentConcepts, SortedUnits, threshold_similarity
from lumiscope.types import DoubleArray


@threshold_similarity(
    name="iou",
    title="IoU at the best threshold",
    citation="Jaccard 1912; as a score of units: Bau et al., CVPR 2017; Oikarinen et al., ICML 2025",
    equation="max over n of S_n / (n + S - S_n), S_n the presence summed over the n most active images, S over all",
)
def iou(units: SortedUnits, concepts: PresentConcepts) -> DoubleArray:
    """Ask how far the images above one threshold and the images with the concept are the same images.

    Returns (u, k) float64 in (0, 1]; NaN where presence is constant. It is F1 / (2 - F1) at every threshold, so it
    orders concepts as F1 does, with larger distances between the good ones.
    """
    scores = f1(units, concepts)
    return np.asarray(scores / (2 - scores))
