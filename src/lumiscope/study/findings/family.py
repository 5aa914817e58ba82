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
    sentences = sharing_of(claims, level)
    return [_decision(claim, sentences, level) for claim in claims]


def sharing_of(claims: Sequence[Claim], level: float = LEVEL) -> int:
    """How many of the claims share the level; see `sharing`."""
    return sharing([_floor(claim) for claim in claims if claim.hypotheses], level)


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


def images_for_medium(tests: int, level: float = LEVEL) -> int:
    """How many images show a mean difference of half its standard deviation in 80 % of studies, among `tests` tests.

    Source: the normal approximation of a paired test's power (Cohen 1988, Statistical Power Analysis, section 2.4).
    """
    from scipy.stats import norm

    reach = float(norm.isf(level / (2 * tests)) + norm.ppf(POWER))
    return math.ceil((reach / MEDIUM) ** 2)
