"""Whether masks stay the same where only chance differs."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

from lumiscope.agreement import overlap
from lumiscope.types import BoolArray


def stability(masks: Sequence[BoolArray]) -> float:
    """Mean over all pairs of masks of (IoU − chance) / (ceiling − chance), where the masks differ by their seed only.

    1: always the same mask; 0: as masks of these areas overlap by chance. A pair with an empty mask or one that covers
    the whole view counts 0, as such a mask points at nothing. NaN for less than two masks.
    """
    adjusted = [overlap(a, b).adjusted for a, b in itertools.combinations(masks, 2)]
    return statistics.fmean(0.0 if math.isnan(value) else value for value in adjusted) if adjusted else math.nan
