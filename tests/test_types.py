from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from lumiscope.types import SaliencyMap, SegmentMap, Target

TARGET = Target(3, "cat", 2.5, 0.75)


def test_a_target_is_no_number_and_equals_only_what_says_the_same() -> None:
    assert TARGET != 3
    assert Target(3, "dog", 2.5, 0.75) != TARGET
    with pytest.raises(TypeError):
        ["a", "b", "c", "d"][TARGET]  # type: ignore[call-overload]
    assert {TARGET: "kept"}[Target(3, "cat", 2.5, 0.75)] == "kept"
    for copied in (copy.deepcopy(TARGET), pickle.loads(pickle.dumps(TARGET))):
        assert copied == TARGET


def test_display_of_a_signed_map_is_its_positive_part() -> None:
    values = np.array([[-2.0, 0.0], [1.0, 4.0]], np.float32)
    shown = SaliencyMap("x", "m", TARGET, values).display()
    np.testing.assert_allclose(shown, [[0, 0], [0.25, 1]], atol=1e-6)
    assert not SaliencyMap("x", "m", TARGET, -np.ones((2, 2), np.float32)).display().any()


def test_a_segment_map_says_nothing_that_it_was_not_given() -> None:
    bare = SegmentMap("x", "m", TARGET, np.zeros((4, 5), np.float32))
    shapes = {name: np.shape(getattr(bare, name)) for name in ("segments", "coefficients", "top_classes", "intervals")}
    assert shapes == {"segments": (0, 0), "coefficients": (0,), "top_classes": (0,), "intervals": (0, 2)}
    assert bare.top_coefficients.shape == (0, 0)
