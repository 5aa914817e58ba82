"""Which of several candidates lies beyond all others: it is named only where that is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from lumiscope.statistics import sign_flip_test
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Hypothesis
from lumiscope.study.findings.classes import Groups, witnesses

Candidate = TypeVar("Candidate")
EXTREME = (
    "paired sign-flip test against every other candidate (the largest p-value counts), Bonferroni over the candidates"
)


@dataclass(frozen=True)
class Extreme:
    """The candidate at one end. `value`: its mean over images. `candidates`: how many there are with any value."""

    name: str
    value: float
    images: int
    candidates: int
    test: Hypothesis


def extreme(values: Mapping[str, Mapping[str, float]], *, highest: bool, groups: Groups) -> Extreme | None:
    """The candidate with the highest, or lowest, mean; None with fewer than two.

    `values`: candidate -> image -> value; only images that both have count where two are compared. `groups`: which of
    them belong together. The p-value is that
    of an intersection-union test: it lies beyond all others only where it lies beyond each of them (Berger 1982); times
    the number of candidates, as which one is tested was seen in the data.
    """
    known = {name: of_images for name, of_images in values.items() if of_images}
    if len(known) < 2:
        return None
    sign = 1 if highest else -1
    means = {name: math.fsum(of_images.values()) / len(of_images) for name, of_images in known.items()}
    first = max(means, key=lambda name: sign * means[name])
    p_values = [_ahead(known[first], known[name], sign, groups) for name in known if name != first]
    candidates = len(known)
    images = witnesses(groups, known[first])
    test = Hypothesis(min(1.0, candidates * max(p_values)), images, lambda count: candidates * floors.sign_flips(count))
    return Extreme(first, means[first], len(known[first]), candidates, test)


def _ahead(first: Mapping[str, float], other: Mapping[str, float], sign: int, groups: Groups) -> float:
    """1 where they share no image."""
    shared = [image for image in first if image in other]
    differences = [sign * (first[image] - other[image]) for image in shared]
    return sign_flip_test(differences, groups=groups(shared)) if shared else 1.0
