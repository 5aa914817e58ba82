"""Maps that know nothing: their distribution, their seeds, and that they look at nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lumiscope.attribution import METHODS
from lumiscope.errors import UsageError

SIZE = (48, 64)


@pytest.fixture
def explain(networks, torch_model, prepare):
    def run(method, count=2, seed=0, first=0, **options):
        prepared = prepare(torch_model(networks.seeded(networks.plain), SIZE), count=count, seed=seed, first=first)
        chosen = METHODS[method]
        return chosen.explain(prepared, prepared.targets("predicted", [None] * count), chosen.options(options))

    return run


def test_the_random_map_is_uniform_and_without_pattern(explain):
    (saliency,) = explain("random", 1)
    values, size = saliency.values.astype(float), math.prod(SIZE)
    assert values.mean() == pytest.approx(1 / 2, abs=5 * math.sqrt(1 / 12 / size)), "five standard errors each"
    assert values.var() == pytest.approx(1 / 12, abs=5 * math.sqrt(1 / 180 / size))
    for axis in (0, 1):
        shifted = np.roll(values, 1, axis)
        assert abs(np.corrcoef(values.ravel(), shifted.ravel())[0, 1]) < 5 / math.sqrt(size)
    assert values.min() >= 0
    assert values.max() < 1
    assert saliency.values.dtype == np.float32
    assert saliency.values.shape == SIZE


def test_seeds_of_the_random_map(explain):
    saliency, two = explain("random")
    assert (saliency.values != two.values).mean() > 0.9, "each image has its own"
    np.testing.assert_array_equal(explain("random", 1, first=1)[0].values, two.values)
    assert (explain("random", seed=1)[0].values != saliency.values).mean() > 0.9
    given = explain("random", random_seed=7)
    np.testing.assert_array_equal(given[0].values, given[1].values)


@pytest.mark.parametrize("sigma", [0.25, 0.1])
def test_the_gaussian_is_one(explain, reference, sigma):
    (saliency,) = explain("gaussian", 1, sigma=sigma)
    np.testing.assert_allclose(saliency.values, reference.REFERENCES["gaussian"](SIZE, sigma), rtol=1e-5)
    np.testing.assert_array_equal(saliency.values, saliency.values[::-1, ::-1])
    width = sigma * 48
    ratio = saliency.values[24, 40] / saliency.values[24, 32]
    assert ratio == pytest.approx(math.exp(-(8.5**2 - 0.5**2) / (2 * width**2)), rel=1e-5)
    assert saliency.options == {"sigma": sigma}


@pytest.mark.parametrize("method", ["random", "gaussian"])
def test_baselines_need_no_more_than_the_view(black_box, networks, torch_model, prepare, method):
    prepared = prepare(black_box(torch_model(networks.seeded(networks.plain), SIZE)), count=2)
    targets = prepared.targets("predicted", [None, None])
    prepared.model.predict = None
    maps = METHODS[method].explain(prepared, targets, METHODS[method].options())
    assert [saliency.item_id for saliency in maps] == ["image 0", "image 1"]
    assert [saliency.method for saliency in maps] == [method] * 2
    assert maps[0].details == {}


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("gaussian", {"sigma": 0}, "sigma above 0; got 0"),
        ("gaussian", {"sigma": float("inf")}, "sigma above 0; got inf"),
        ("random", {"random_seed": -1}, "random_seed of at least 0; got -1"),
    ],
)
def test_options_out_of_range(method, options, message):
    with pytest.raises(UsageError, match=message):
        METHODS[method].options(options)
