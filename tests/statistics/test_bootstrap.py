"""The bootstrap interval holds the true mean about as often as it says, and is scipy's percentile interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import bootstrap_interval


def test_two_values_resample_to_three_means():
    # The means 0, 1/2 and 1 have the probabilities 1/4, 1/2 and 1/4: a 95 % interval is everything, a 40 % one 1/2.
    assert bootstrap_interval([0, 1], resamples=2000) == (0, 1)
    assert bootstrap_interval([0, 1], confidence=0.4, resamples=2000) == (0.5, 0.5)


def test_equal_values_leave_nothing_uncertain():
    assert bootstrap_interval([0.25] * 7) == (0.25, 0.25)


def test_is_the_percentile_interval_of_scipy():
    values = np.random.default_rng(3).exponential(size=40)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000).confidence_interval
    np.testing.assert_allclose(bootstrap_interval(values, resamples=20_000), theirs, atol=0.015)


def test_covers_the_true_mean_as_often_as_it_says():
    generator = np.random.default_rng(0)
    samples = generator.normal(5, 2, (400, 40))
    intervals = [bootstrap_interval(sample, resamples=1000, seed=number) for number, sample in enumerate(samples)]
    covered = np.mean([low <= 5 <= high for low, high in intervals])
    # 40 values: about 0.94. The standard error of 400 trials is 0.011.
    assert 0.90 <= covered <= 0.97


def test_same_seed_same_interval_whatever_the_block(monkeypatch):
    values = np.random.default_rng(0).normal(size=30)
    before = bootstrap_interval(values, seed=7)
    assert bootstrap_interval(values, seed=7) == before != bootstrap_interval(values, seed=8)
    monkeypatch.setattr("lumiscope.statistics.bootstrap.BLOCK_SIZE", 10)
    assert bootstrap_interval(values, seed=7) == before


def test_ten_thousand_resamples_and_95_percent_unless_asked_for_others():
    values = np.random.default_rng(0).normal(size=30)
    assert bootstrap_interval(values) == bootstrap_interval(values, confidence=0.95, resamples=10_000, seed=0)
    draws = np.random.default_rng(0).integers(0, 30, (10_000, 30))
    assert bootstrap_interval(values) == pytest.approx(np.quantile(values[draws].mean(axis=1), [0.025, 0.975]))


@pytest.mark.parametrize("values", [[], [0.5], [0.1, math.nan, 0.2], [0.1, math.inf]])
def test_undefined_is_nan(values):
    assert all(math.isnan(end) for end in bootstrap_interval(values))


@pytest.mark.parametrize("wrong", [{"confidence": 95}, {"confidence": 0.0}, {"resamples": 0}])
def test_a_number_out_of_range_is_said(wrong):
    with pytest.raises(UsageError, match=f"got .*{next(iter(wrong.values()))}"):
        bootstrap_interval([1, 2], **wrong)
