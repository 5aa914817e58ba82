"""Whether maps change with what is randomised: numbers and words where either can be told beforehand."""

from __future__ import annotations

import itertools
import math
from statistics import fmean

import numpy as np
import pytest

from lumiscope.trust import Randomisation, coarse_map, compare_randomised
from trust.references import cells_14, spearman

SIZE = (30, 28)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(*shape, *SIZE))


def test_numbers_are_those_of_plain_loops():
    trained, reseeded = np.maximum(noise(4, seed=1), 0), noise(4, seed=2)
    randomised = noise(3, 4, seed=3) + trained * np.arange(3)[:, None, None, None]
    compared = compare_randomised(trained, randomised, reseeded)
    cells, again = ([cells_14(saliency) for saliency in maps] for maps in (trained, reseeded))
    table = [[spearman(cells[image], cells_14(maps[image])) for image in range(4)] for maps in randomised]
    np.testing.assert_allclose(compared.of_images, [fmean(column) for column in zip(*table, strict=True)], atol=1e-12)
    np.testing.assert_allclose(compared.of_versions, [fmean(row) for row in table], atol=1e-12)
    assert compared.ceiling == pytest.approx(fmean(spearman(a, b) for a, b in zip(cells, again, strict=True)))
    assert compared.chance == pytest.approx(fmean(spearman(a, b) for a, b in itertools.combinations(cells, 2)))
    assert compared.similarity == pytest.approx(fmean(itertools.chain(*table)))
    assert compared.share == fmean(fmean(row) >= compared.ceiling for row in table)


def test_a_map_of_the_picture_alone_does_not_depend_on_the_network():
    """As its brightness or its edges: whatever the parameters, the same map."""
    pictures = noise(10)
    compared = compare_randomised(pictures, np.stack([pictures] * 5))
    assert (compared.similarity, compared.low, compared.high, compared.ceiling, compared.share) == (1, 1, 1, 1, 1)
    assert compared.depends is False
    assert compared.reason == (
        f"similarity 1.00 (1.00 to 1.00) reaches {compared.at(0.9):.2f}, nine tenths of the way from chance "
        f"({compared.chance:.2f}) to the ceiling (1.00)"
    )


def test_a_map_that_is_the_same_for_every_picture_does_not_either():
    """As a Gaussian in the middle: chance is as high as the ceiling."""
    same = np.broadcast_to(noise(), (10, *SIZE))
    compared = compare_randomised(same, np.stack([same] * 5))
    assert (compared.chance, compared.depends) == (1, False)


def test_draws_that_no_network_has_a_part_in_do_not_either():
    """Under one seed the same, under another of no likeness."""
    draws = noise(10)
    compared = compare_randomised(draws, np.stack([draws] * 5), noise(10, seed=1))
    assert abs(compared.ceiling) < 4 / math.sqrt(10 * 195)
    assert (compared.share, compared.depends) == (1, False)


def test_maps_of_nothing_in_common_depend_on_the_network():
    compared = compare_randomised(noise(10), noise(5, 10, seed=1))
    assert abs(compared.similarity) < 4 / math.sqrt(5 * 10 * 195)
    assert (compared.share, compared.depends) == (0, True)


@pytest.mark.parametrize(
    ("low", "high", "versions", "ceiling", "chance", "depends"),
    [
        (0.1, 0.59, [0.3, 0.4], 1.0, 0.2, True),  # half way from 0.2 to 1 is 0.6
        (0.1, 0.61, [0.3, 0.4], 1.0, 0.2, None),
        (0.1, 0.59, [0.1, 0.7], 1.0, 0.2, None),  # one of the networks is as similar as that
        (0.92, 0.95, [0.93, 0.94], 1.0, 0.2, False),  # nine tenths are 0.92
        (0.91, 0.95, [0.93, 0.94], 1.0, 0.2, None),
        (0.93, 0.95, [0.91, 0.99], 1.0, 0.2, None),
        (0.1, 0.49, [0.3, 0.4], 0.8, 0.2, True),  # of a method that draws, half way to 0.8
        (0.75, 0.9, [0.8, 0.9], 0.8, 0.2, False),
        (0.1, 0.2, [0.1, 0.2], math.nan, 0.2, None),
        (0.1, 0.2, [0.1, 0.2], 0.31, 0.2, True),  # half way to 0.31 is 0.255
        (0.1, 0.2, [0.1, 0.2], 0.29, 0.2, None),  # there is no way from chance to the ceiling
    ],
)
def test_words(low, high, versions, ceiling, chance, depends):
    compared = Randomisation(np.full(4, np.mean(versions)), np.array(versions), low, high, ceiling, chance)
    assert compared.depends is depends
    assert compared.reason


def test_of_too_few_images_nothing_is_said():
    compared = compare_randomised(noise(2), noise(5, 2, seed=1))
    assert compared.depends is None
    assert compared.reason == "maps of 2 images could be compared; 3 are needed"
    of_three = Randomisation(np.array([0.3, 0.3, 0.3, math.nan]), np.array([0.3]), 0.2, 0.4, 1.0, 0.2)
    assert of_three.depends is True
    assert "needed" not in of_three.reason


def test_the_interval_is_one_of_correlations():
    """Of three images whose maps are the same, upside down, and the same."""
    trained = noise(3)
    compared = compare_randomised(trained, (trained * np.array([1, -1, 1])[:, None, None])[None])
    np.testing.assert_allclose(compared.of_images, [1, -1, 1])
    assert (compared.low, compared.high) == (-1, 1)


def test_constant_and_undefined_maps():
    """A constant orders nothing: 0 beside a map, undefined beside a constant; NaN is undefined beside any."""
    trained = noise(4)
    trained[1] = 1.0
    randomised = noise(1, 4, seed=1)
    randomised[0, 0] = 0.0
    randomised[0, 1] = 2.0
    randomised[0, 2] = math.nan
    of_images = compare_randomised(trained, randomised).of_images
    assert of_images[0] == 0
    assert np.isnan(of_images[1:3]).all()
    assert np.isfinite(of_images[3])


@pytest.mark.parametrize("size", [(30, 28), (14, 14), (9, 20)])
def test_cells_are_all_that_is_needed(size):
    maps = np.random.default_rng(0).normal(size=(2, 4, *size))
    coarse = np.stack([[coarse_map(saliency) for saliency in some] for some in maps])
    assert coarse.shape[2:] == (min(14, size[0]), min(14, size[1]))
    whole, of_cells = (compare_randomised(some[0], some[1:]) for some in (maps, coarse))
    np.testing.assert_allclose(whole.of_images, of_cells.of_images, atol=1e-12)
