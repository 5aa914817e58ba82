"""The exam of methods and of metrics: its own arithmetic, and what it must show. The numbers are in docs/trust.md."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lumiscope.images import open_images

PICTURES = 60  # as many as the statements need


@pytest.fixture(scope="module")
def exam(load_module: Callable[[str, str], ModuleType]) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:  # for the half that lies beside it
        patch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
        return load_module("trust_exam", "../benchmarks/trust_exam.py")


def test_a_metric_agrees_with_the_truth_by_order_and_direction(exam: ModuleType) -> None:
    truth = np.array([[0.1, 0.4, 0.2, 0.3], [0.4, 0.1, 0.2, np.nan]])
    scores = {"true_effects": truth, "energy": truth**3, "deletion": truth**3, "abpc": np.ones((2, 4))}
    sat = exam.Exam(("a", "b", "c", "d"), scores, (), {})
    np.testing.assert_allclose(exam.agreement(sat, "energy", range(4)), [1, 1])
    np.testing.assert_allclose(exam.agreement(sat, "deletion", range(4)), [-1, -1])  # low is good
    np.testing.assert_allclose(exam.agreement(sat, "abpc", range(4)), [0, 0])  # orders nothing
    np.testing.assert_allclose(exam.agreement(sat, "energy", [0, 3]), [np.nan, np.nan])


@pytest.mark.slow
def test_the_four_methods_beat_what_knows_nothing(exam: ModuleType) -> None:
    items = open_images(f"world:{PICTURES}@{exam.SEED}")
    metrics = ["energy", "true_effects"]
    sat = exam.sit(exam.Examined.of("world:objects", items, exam.PROMISED), items, metrics)
    for metric, method, baseline in itertools.product(metrics, exam.PROMISED, exam.BEATEN):
        gain = sat.of(metric, method) - sat.of(metric, baseline)
        assert exam.sign_flip_test(gain[np.isfinite(gain)]) < 0.05, (metric, method, baseline)
