"""Which of several candidates lies beyond all others: it is named only where that is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lumiscope.runs import ImageGroups
from lumiscope.statistics import mean_test, simultaneous_intervals
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Hypothesis

EXTREME = (
    "paired sign-flip test and Student's corrected for skewness, against every other candidate (the largest p-value "
    "counts), Bonferroni over the candidates"
)
CHOSEN = "interval simultaneous over the candidates"


@dataclass(frozen=True)
class Extreme:
    """The candidate at one end. `value`: its mean over images. `candidates`: how many there are with any value.

    `low`, `high`: an interval of that mean that knows that it was chosen; NaN with fewer than 3 images that all have.
    `images`: the fewest on which it is compared with another.
    """

    name: str
    value: float
    low: float
    high: float
    images: int
    candidates: int
    test: Hypothesis


def extreme(
    values: Mapping[str, Mapping[str, float]],
    *,
    highest: bool,
    groups: ImageGroups,
    bounds: tuple[float, float] | None = None,
) -> Extreme | None:
    """The candidate with the highest, or lowest, mean; None with fewer than two.

    `values`: candidate -> image -> value; only images that both have count where two are compared. `groups`: which of
    them belong together. `bounds`: between which values lie. The p-value is that of an intersection-union test: it lies
    beyond all others only where it lies beyond each of them (Berger 1982); times the number of candidates, as which one
    is tested was seen in the data. The interval is one of `simultaneous_intervals` of all candidates.
    """
    known = {name: of_images for name, of_images in values.items() if of_images}
    if len(known) < 2:
        return None
    sign = 1 if highest else -1
    means = {name: math.fsum(of_images.values()) / len(of_images) for name, of_images in known.items()}
    first = max(means, key=lambda name: sign * means[name])
    others = [name for name in known if name != first]
    p_values = [_ahead(known[first], known[name], sign, groups) for name in others]
    shared = [image for image in known[first] if all(image in known[name] for name in others)]
    together = np.array([[of_images[image] for image in shared] for of_images in known.values()], np.float64).T
    intervals = simultaneous_intervals(together, bounds=bounds, groups=groups(shared))
    low, high = intervals[list(known).index(first)].tolist()
    candidates = len(known)
    pairs = [known[first].keys() & known[name].keys() for name in others]
    images = min(map(len, pairs))
    test = Hypothesis(
        min(1.0, candidates * max(p_values)),
        min(map(groups.witnesses, pairs)),
        lambda count: candidates * floors.sign_flips(count),
        rivals=len(others),
    )
    return Extreme(first, means[first], low, high, images, candidates, test)


def _ahead(first: Mapping[str, float], other: Mapping[str, float], sign: int, groups: ImageGroups) -> float:
    """1 where they share no image."""
    shared = [image for image in first if image in other]
    differences = [sign * (first[image] - other[image]) for image in shared]
    return mean_test(differences, groups=groups(shared)) if shared else 1.0
