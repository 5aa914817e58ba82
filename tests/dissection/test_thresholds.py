from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.dissection.thresholds import Thresholds, ThresholdStream
from lumiscope.errors import UsageError
from lumiscope.runs import Reason

SHAPE = (60, 5, 6, 7)  # images, units, height, width


def stream(values: np.ndarray, batch: int = 8, **options) -> Thresholds:
    threshold_stream = ThresholdStream(values.shape[1], len(values), values[0, 0].size, **options)
    for start in range(0, len(values), batch):
        threshold_stream.add(torch.from_numpy(values[start : start + batch]))
    return threshold_stream.thresholds()


def whole(values: np.ndarray, quantile: float) -> np.ndarray:
    """The same from everything at once, in float64."""
    flat = values.astype(np.float64).transpose(1, 0, 2, 3).reshape(values.shape[1], -1)
    return np.quantile(flat, 1 - quantile, axis=1, method="inverted_cdf")


@pytest.mark.parametrize("quantile", [0.005, 0.04, 0.3])
@pytest.mark.parametrize("kind", ["normal", "ties"])
def test_equals_the_quantile_of_all_values_at_once(quantile: float, kind: str) -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=SHAPE).astype(np.float32)
    if kind == "ties":
        values = np.maximum(np.round(values, 1), 0)
    thresholds = stream(values, quantile=quantile)
    np.testing.assert_array_equal(thresholds.values, whole(values, quantile))
    assert thresholds.num_sampled == thresholds.num_positions == values[:, 0].size
    above = (values > thresholds.values[None, :, None, None]).mean(axis=(0, 2, 3))
    assert (above <= quantile).all()
    if kind == "normal":
        np.testing.assert_allclose(above, quantile, atol=1 / values[:, 0].size)


def test_a_share_that_binary_fractions_miss_is_still_a_whole_number_of_values() -> None:
    values = np.arange(200, dtype=np.float32).reshape(2, 1, 10, 10)
    assert stream(values, quantile=0.005).values == [198]  # one of 200 is above
    assert stream(values, quantile=0.29).values == [141]  # 58 are; 0.29 · 200 is 57.99…


def test_neither_order_nor_batches_matter() -> None:
    values = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    first = stream(values, batch=7)
    np.testing.assert_array_equal(first.values, stream(values[::-1].copy(), batch=60).values)
    np.testing.assert_array_equal(first.values, stream(np.random.default_rng(2).permutation(values), batch=1).values)


def test_what_does_not_fit_the_buffer_is_sampled_within_the_error_stated() -> None:
    values = np.random.default_rng(3).normal(size=(50, 40, 32, 32)).astype(np.float32)
    thresholds = stream(values, quantile=0.05, buffer=40 * 501)
    assert thresholds.num_positions == 51_200
    assert thresholds.num_sampled == 10_000
    standard_error = (0.05 * 0.95 / 10_000) ** 0.5
    above = (values > thresholds.values[None, :, None, None]).mean(axis=(0, 2, 3))
    errors = (above - 0.05) / standard_error
    assert np.abs(errors).max() < 4
    assert 0.5 < np.sqrt((errors**2).mean()) < 1.2  # a fifth of the positions is known, so it is a little less than 1
    np.testing.assert_array_equal(thresholds.values, stream(values, quantile=0.05, buffer=40 * 501).values)
    assert (thresholds.values != stream(values, quantile=0.05, buffer=40 * 501, seed=1).values).any()


def test_units_that_cannot_have_a_threshold_are_left_out_with_a_reason() -> None:
    values = np.random.default_rng(4).normal(size=(4, 6, 8, 8)).astype(np.float32)
    values[2, 0, 3, 3] = np.nan
    values[1, 1, 0, 0] = np.inf
    values[:, 2] = 0
    values[:, 3] = -1.5
    values[:, 4] = np.minimum(values[:, 4], 1)  # a sixth of all positions stands at the top
    thresholds = stream(values, quantile=0.05)
    assert [no_label and no_label.reason for no_label in thresholds.reason] == [
        *(Reason.NOT_FINITE, Reason.NOT_FINITE, Reason.DEAD, Reason.CONSTANT, Reason.UNDEFINED),
        None,
    ]
    assert np.isinf(thresholds.values[:5]).all()
    assert thresholds.values[5] == whole(values, 0.05)[5]


def test_refuses_other_shares_and_images_that_did_not_come() -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        ThresholdStream(3, 4, 5, quantile=0)
    threshold_stream = ThresholdStream(1, 2, 4)
    threshold_stream.add(torch.zeros(1, 1, 2, 2))
    with pytest.raises(ValueError, match="expected the maps of 2 images; got 1"):
        threshold_stream.thresholds()
