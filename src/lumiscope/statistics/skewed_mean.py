"""Is a mean of paired differences above 0, skewed or not?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lumiscope.statistics._skewed_student import student_p_value
from lumiscope.statistics.groups import Groups, grouped
from lumiscope.statistics.permutation import sign_flip_test
from lumiscope.types import DoubleArray


def mean_test(differences: DoubleArray | Sequence[float], *, groups: Groups | None = None, seed: int = 0) -> float:
    """Return the one-sided p-value, in (0, 1], of the mean of `differences`, (n,), one per image, not being above 0.

    The sign-flip test asks for a distribution symmetric about 0: where many differences are a little below it and few
    far above, it finds a mean that is not there. Student's t, transformed for skewness, does not ask for that, but
    for enough images. The larger of both p-values counts. `groups`: see `sign_flip_test`. NaN as there.
    """
    flipped = sign_flip_test(differences, groups=groups, seed=seed)
    values = grouped(np.asarray(differences, np.float64), groups).linearised()
    return flipped if np.isnan(flipped) or len(values) < 2 else max(flipped, student_p_value(values))
