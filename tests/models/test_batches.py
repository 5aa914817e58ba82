"""How many views go through a network at once, and that nobody's array is changed on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.images import Geometry
from lumiscope.models import TorchModel


def model(side: int) -> TorchModel:
    generator = torch.Generator().manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return TorchModel(module.eval(), Geometry((side, side)), mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))


@pytest.mark.parametrize(("side", "count"), [(32, 196), (128, 12), (160, 4), (224, 4), (512, 4)])
def test_small_views_go_in_larger_batches(side: int, count: int) -> None:
    """As many pixels as four views of 224×224 have, in steps of four views, and never fewer than four."""
    assert model(side).batch_size == count


def test_a_last_batch_may_be_smaller() -> None:
    tested = model(128)
    views = np.random.default_rng(0).integers(0, 256, (19, 128, 128, 3)).astype(np.uint8)
    each = np.concatenate([tested.predict(views[row : row + 1]) for row in range(len(views))])
    np.testing.assert_allclose(tested.predict(views), each, rtol=1e-5, atol=1e-6)


def test_inputs_are_normalised_copies() -> None:
    views = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    before = views.copy()
    inputs = model(32).inputs(views)
    expected = (before / 255 - [0.1, 0.2, 0.3]) / [0.5, 0.6, 0.7]
    np.testing.assert_allclose(inputs.permute(0, 2, 3, 1).numpy(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(views, before)
    assert inputs.is_contiguous(memory_format=torch.channels_last)
