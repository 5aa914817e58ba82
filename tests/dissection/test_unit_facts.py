"""The shape of a unit's activations: each fact by its definition, and what it must not depend on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lumiscope.dissection._unit_facts import SHAPE, describe_units


def spread_over(weights):
    """Log2 of 1 / Σ of the squared shares; 0 where there are none."""
    if np.sum(weights) == 0:
        return 0.0
    shares = np.array(weights) / np.sum(weights)
    return -math.log2(np.sum(shares**2))


def shape_by_definition(column):
    count, mean = len(column), np.mean(column)
    values = sorted(set(column))
    counts = [sum(value == other for other in column) for value in values]
    most = max(counts)
    common = values[counts.index(most)] if most > max(count / 100, 1) else values[0]
    above, below = sum(value > common for value in column), sum(value < common for value in column)
    deviations = np.array(column) - mean
    cubes = deviations**3
    top = np.sort(deviations)[-max(count // 20, 2) :]
    return {
        "above": math.log2((above + 1) / count),
        "below": math.log2((below + 1) / count),
        "spread": spread_over(deviations**2),
        "cubed spread": spread_over(cubes**2),
        "positive": np.sum(cubes[cubes > 0] ** 2) / np.sum(cubes**2),
        "peak": cubes.max() / np.linalg.norm(cubes),
        "top": spread_over((top - top[0]) ** 6),
        "mean": mean * math.sqrt(count) / np.linalg.norm(column),
    }


COLUMNS = {
    "normal": np.random.default_rng(0).normal(size=300),
    "sparse": np.maximum(np.random.default_rng(1).normal(size=300) - 1.5, 0),
    "binary": (np.arange(200) % 5 == 0).astype(float),
    "negative": -np.random.default_rng(2).exponential(size=100),
    "two of a hundred alike": np.append(np.arange(99.0), 50),
    "few": np.array([0.0, 0, 1, 5, 2, 0, 0]),
}


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_each_fact_is_its_definition_on_any_scale(kind, scale):
    column = COLUMNS[kind]
    (facts,) = describe_units(scale * column[:, np.newaxis], 1).shape
    expected = shape_by_definition(column)
    assert tuple(expected) == SHAPE
    np.testing.assert_allclose(facts, list(expected.values()), rtol=1e-9, atol=1e-9)


def test_a_unit_that_fires_on_one_image_of_256():
    """Above: 2 of 256 (one is added), below: 1 of 256; all that deviates is one image, 255 times the others."""
    column = np.zeros(256)
    column[7] = 3
    above, below, spread, cubed, positive, peak, top, mean = describe_units(column[:, np.newaxis], 1).shape[0]
    assert (above, below) == (-7, -8)
    assert spread == pytest.approx(2 * math.log2(256 / 255), rel=0.1)
    assert cubed == pytest.approx(0, abs=1e-6)
    assert (positive, peak, top) == pytest.approx((1, 1, 0), abs=1e-6)
    assert mean == pytest.approx(1 / 16)


def test_units_without_a_shape():
    columns = np.column_stack([np.full(10, 2.0), np.append(np.arange(9.0), np.nan), np.arange(10.0)])
    facts = describe_units(columns, 2)
    assert np.isnan(facts.shape[:2]).all()
    assert np.isfinite(facts.shape[2]).all()
    assert facts.live.tolist() == [2]
    assert (facts.not_finite.tolist(), facts.first_not_finite.tolist()) == ([0, 1, 0], [-1, 9, -1])
    assert facts.top_images[2].tolist() == [9, 8]


def test_a_histogram_has_twenty_bins_the_last_one_closed():
    columns = np.stack([np.arange(100), np.full(100, 7), np.append(np.full(99, np.inf), 0)], axis=1).astype(np.float32)
    even, constant, broken = describe_units(columns, 3).histogram
    assert even.tolist() == [5] * 20
    assert (constant.size, constant.sum(), broken.sum()) == (20, 100, 0)
