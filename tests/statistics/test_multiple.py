"""Adjusted p-values: against examples worked by hand, their definitions as procedures, and statsmodels."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from lumiscope.statistics import benjamini_hochberg, holm

probabilities = st.lists(st.floats(0, 1), max_size=12)


def test_worked_example():
    # Sorted: 0.005·4 = 0.02, 0.01·3 = 0.03, 0.03·2 = 0.06, and 0.04·1 = 0.04, raised to the 0.06 before it.
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_nan_stays_and_is_no_test():
    adjusted = holm([0.01, math.nan, 0.04])
    np.testing.assert_allclose(adjusted, [0.02, math.nan, 0.04])


def test_never_above_one_and_nothing_for_nothing():
    assert holm([0.6, 0.7]).tolist() == [1, 1]
    assert holm([]).shape == (0,)


def test_leaves_its_input_alone():
    p_values = np.array([0.5, 0.01])
    holm(p_values)
    assert p_values.tolist() == [0.5, 0.01]


@given(probabilities, st.sampled_from([0.01, 0.05, 0.2]))
def test_rejects_what_the_step_down_procedure_rejects(p_values, alpha):
    rejected = set()
    for step, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        if p_values[index] * (len(p_values) - step) > alpha:
            break
        rejected.add(index)
    adjusted = holm(p_values)
    assert set(np.flatnonzero(adjusted <= alpha)) == rejected
    assert (adjusted >= p_values).all()


def test_benjamini_and_hochberg_by_hand():
    # Sorted: 0.005·4/1, 0.01·4/2, 0.03·4/3 = 0.04, 0.04·4/4 = 0.04: each the least of those from it on.
    np.testing.assert_allclose(benjamini_hochberg([0.01, 0.04, 0.03, 0.005]), [0.02, 0.04, 0.04, 0.02])
    np.testing.assert_allclose(benjamini_hochberg([0.01, math.nan, 0.04]), [0.02, math.nan, 0.04])
    assert benjamini_hochberg([]).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_benjamini_and_hochberg_is_that_of_statsmodels(p_values):
    theirs = multipletests(p_values, method="fdr_bh")[1]
    np.testing.assert_allclose(benjamini_hochberg(p_values), theirs, rtol=1e-12, atol=1e-300)
