"""The best concepts of a unit: best first, those that score alike up to rounding in the order of the set."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.dissection.evidence.ranking import best_concepts

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([-1.0, 0.0, -2.0], [1, 0, 2]),  # the highest is 0: nothing is alike but itself
        ([-3.0, -1.0, -2.0], [1, 2, 0]),
        ([1.0, 1.0 + 1e-13, 0.5], [0, 1, 2]),  # rounding
        ([1.0, 1.0 + 1e-9, 0.5], [1, 0, 2]),
        ([NAN, 2.0, -INF], [1, -1, -1]),
        ([NAN, NAN, NAN], [-1, -1, -1]),
    ],
)
def test_the_order_of_concepts(scores: list[float], best: list[int]) -> None:
    assert best_concepts(np.array([scores]), 3).tolist() == [best]


def test_where_more_are_wanted_than_there_are_the_rest_is_empty() -> None:
    assert best_concepts(np.array([[0.1, 0.2], [0.2, 0.1]]), 3).tolist() == [[1, 0, -1], [0, 1, -1]]
