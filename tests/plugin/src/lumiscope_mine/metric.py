"""The metric `mine`: how large a share of a map is positive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lumiscope.trust import Candidate, JudgedView, Score, scores_of, trust_metric


@trust_metric("mine", title="Mine", citation="nobody 2024, a test", property="compactness", range=(0, 1))
def mine(view: JudgedView, candidates: Sequence[Candidate]) -> list[Score]:
    """The share of pixels with a positive value."""
    return scores_of(candidates, lambda candidate: float(np.mean(candidate.values > 0)))
