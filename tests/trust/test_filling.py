"""Holes filled as ROAD fills them: the equations' solution, to 1e-4."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import lumiscope.trust._filling as filling_module
from lumiscope.trust._filling import Filling
from trust.hidden_pictures import filled

SIZE = (37, 50)


@pytest.fixture
def no_noise(monkeypatch):
    monkeypatch.setattr(filling_module, "NOISE", 0.0)


def picture(size=SIZE, channels=3):
    return torch.randn((channels, *size), generator=torch.Generator().manual_seed(0))


def disc(size=SIZE, radius=15.0):
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.hypot(rows - 18, columns - 25) > radius


MASKS = {
    "scattered, few hidden": np.random.default_rng(0).random(SIZE) > 0.1,
    "scattered, most hidden": np.random.default_rng(1).random(SIZE) > 0.95,
    "a disc": disc(),
    "all but a disc": ~disc(radius=4),
    "over the edge": np.mgrid[: SIZE[0], : SIZE[1]][0] < 20,
    "all but a pixel": np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) == 777,
    "nothing hidden": np.ones(SIZE, bool),
    "everything hidden": np.zeros(SIZE, bool),
}


@pytest.mark.parametrize("name", MASKS)
def test_equals_the_direct_solution(no_noise, name):
    view = picture()
    (came,) = Filling(view, 0)(torch.from_numpy(MASKS[name][None]))
    expected = filled(view.double().numpy(), MASKS[name])
    error = np.linalg.norm(came.numpy() - expected)
    assert error <= 1e-4 * np.linalg.norm(view.numpy())
    np.testing.assert_allclose(came.numpy()[:, MASKS[name]], view.numpy()[:, MASKS[name]], atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (17, 1)])
def test_small_pictures(no_noise, size):
    view, shown = picture(size, 1), np.zeros(size, bool)
    shown[0, 0] = True
    (came,) = Filling(view, 0)(torch.from_numpy(shown[None]))
    np.testing.assert_allclose(came.numpy(), np.full((1, *size), float(view[0, 0, 0])), atol=2e-4)


def test_between_two_columns_lies_a_line(no_noise):
    """A hole of whole columns has no slope downwards: the mean of neighbours is a line from edge to edge."""
    view, shown = picture((24, 40), 1), torch.ones(1, 24, 40, dtype=torch.bool)
    view[:, :, 9], view[:, :, 30], shown[:, :, 10:30] = 0.0, 2.1, False
    (came,) = Filling(view, 0)(shown)
    expected = np.broadcast_to(np.arange(1, 21) * 0.1, (24, 20))
    np.testing.assert_allclose(came[0, :, 10:30].numpy(), expected, atol=2e-3)


def test_the_noise_is_the_same_in_all_holes():
    flat = torch.full((3, 64, 64), 0.5)
    shown = torch.ones(2, 64, 64, dtype=torch.bool)
    shown[0, 8:40], shown[1, 16:64] = False, False
    first, second = Filling(flat, 7)(shown) - 0.5
    assert torch.equal(first[:, 16:40], second[:, 16:40])
    assert not first[:, :8].any()
    assert float(first[:, 8:40].std()) == pytest.approx(0.01, rel=0.05)
    assert not torch.equal(Filling(flat, 8)(shown)[0], first + 0.5)
