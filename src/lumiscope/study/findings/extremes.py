"""Which of several candidates lies beyond all others: it is named only where that is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lumiscope.runs import ImageGroups
from lumiscope.statistics import ahead_of_all, mean_test, simultaneous_intervals
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Hypothesis

EXTREME = (
    "paired sign-flip test and Student's corrected for skewness, against every other candidate (the largest p-value "
    "counts), doubled as the candidate was chosen by looking"
)
BEHIND = (
    "paired sign-flip test and Student's corrected for skewness, each candidate below the first one (the larger "
    "p-value counts), Bonferroni over the others"
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
    them belong together. `bounds`: between which values lie. The p-value is `ahead_of_all`: it lies beyond all others
    only where it lies beyond each of them. The interval is one of `simultaneous_intervals` of all candidates.
    """
    known = {name: of_images for name, of_images in values.items() if of_images}
    if len(known) < 2:
        return None
    sign = 1 if highest else -1
    means = {name: math.fsum(of_images.values()) / len(of_images) for name, of_images in known.items()}
    first = max(means, key=lambda name: sign * means[name])
    others = [name for name in known if name != first]
    pairs = [[image for image in known[first] if image in known[name]] for name in others]
    differences = [
        [sign * (known[first][image] - known[name][image]) for image in pair]
        for name, pair in zip(others, pairs, strict=True)
    ]
    shared = [image for image in known[first] if all(image in known[name] for name in others)]
    together = np.array([[of_images[image] for image in shared] for of_images in known.values()], np.float64).T
    intervals = simultaneous_intervals(together, bounds=bounds, groups=groups(shared))
    low, high = intervals[list(known).index(first)].tolist()
    candidates = len(known)
    images = min(map(len, pairs))
    test = Hypothesis(
        ahead_of_all(differences, [groups(pair) for pair in pairs]),
        min(map(groups.witnesses, pairs)),
        floors.two_sided_sign_flips,
        rivals=len(others),
    )
    return Extreme(first, means[first], low, high, images, candidates, test)


def behind_the_first(
    values: Mapping[str, Mapping[str, float]], *, highest: bool, groups: ImageGroups
) -> tuple[str, dict[str, Hypothesis]] | None:
    """The candidate with the highest, or lowest, mean, and for each other one whether it is behind; None below two.

    `values`, `highest`, `groups`: as of `extreme`. The first one was chosen by looking: a candidate that is as good as
    any is called worse only where it is behind one of all others, so p-values count as often as there are others.
    Source: Hsu 1996, Multiple Comparisons, chapter 4 (comparisons with the best).
    """
    known = {name: of_images for name, of_images in values.items() if of_images}
    if len(known) < 2:
        return None
    sign = 1 if highest else -1
    first = max(known, key=lambda name: sign * math.fsum(known[name].values()) / len(known[name]))
    others = len(known) - 1
    tests = {}
    for name in known:
        if name == first:
            continue
        pair = [image for image in known[first] if image in known[name]]
        ahead = [sign * (known[first][image] - known[name][image]) for image in pair]
        tests[name] = Hypothesis(
            min(1.0, others * mean_test(ahead, groups=groups(pair))) if pair else math.nan,
            groups.witnesses(pair),
            lambda count: others * floors.sign_flips(count),
        )
    return first, tests
