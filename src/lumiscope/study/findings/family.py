"""The rule of the family: how sure each sentence must be, so that a report as a whole can be believed.

At most 5 % of the reports on data that hold nothing contain a false sentence. Each sentence that is tested has an equal
share of these 5 % (Bonferroni); inside a sentence, its hypotheses share that by Holm's procedure. A sentence that so
few images could never support takes no share (Tarone 1990, A modified Bonferroni method for discrete data).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lumiscope.statistics import holm
from lumiscope.study.findings.claim import Claim, Decision

LEVEL = 0.05
POWER = 0.8
MEDIUM = 0.5  # of the standard deviation between images


def decide(claims: Sequence[Claim], level: float = LEVEL) -> list[Decision]:
    """What may be said of each claim, so that no more than `level` of null reports contain a false sentence."""
    sentences = sharing([_floor(claim) for claim in claims if claim.hypotheses], level)
    return [_decision(claim, sentences, level) for claim in claims]


def sharing(floors: Sequence[float], level: float = LEVEL) -> int:
    """How many sentences share the level: the smallest k so that no more than k could be shown at `level` / k.

    `floors`: for each the smallest p-value that it could have. At least 1.
    """
    return next(
        (k for k in range(1, len(floors) + 1) if sum(floor * k <= level for floor in floors) <= k), max(1, len(floors))
    )


def _floor(claim: Claim) -> float:
    tests = claim.hypotheses.values()
    return len(tests) * min(test.floor(test.images) for test in tests)


def _decision(claim: Claim, sentences: int, level: float) -> Decision:
    if not claim.hypotheses:
        return Decision({}, level)
    names, p_values = zip(*((name, test.p_value) for name, test in claim.hypotheses.items()), strict=True)
    corrected = np.minimum(1, sentences * holm(np.array(p_values, np.float64)))
    known = {name: float(p) for name, p in zip(names, corrected, strict=True) if not math.isnan(p)}
    return Decision(known, level, attainable=_floor(claim) * sentences <= level)


def images_for_medium(sentences: int, rivals: int, level: float = LEVEL) -> int:
    """How many images show in 80 % of studies that one candidate is ahead of each of its rivals by a medium effect.

    That is half the standard deviation of the paired differences between images. `sentences`: how many are tested; each
    has an equal share of the level, whatever few images allow now, half of it for each sign. That the candidate
    is ahead of each has a probability of 80 % where it misses each one with at most 20 % / `rivals`.
    Source: the normal approximation of a one-sided paired test's power (Cohen 1988, Statistical Power Analysis, section
    2.4), Bonferroni.
    """
    from scipy.stats import norm

    reach = float(norm.isf(level / (sentences * 2)) + norm.isf((1 - POWER) / rivals))
    return math.ceil((reach / MEDIUM) ** 2)
