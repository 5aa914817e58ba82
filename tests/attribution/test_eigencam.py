"""The first principal component of maps: its definition, its sign, and both ways to find it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.attribution import METHODS
from lumiscope.attribution.methods.eigencam import first_component

SHAPES = [(5, 3, 4), (12, 3, 4), (13, 3, 4), (40, 2, 5), (1, 4, 4), (3, 1, 7), (6, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_is_the_singular_value_decompositions(shape, seed):
    """Fewer channels than positions and more of them: two ways that must agree with numpy's."""
    maps = torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed)) + torch.arange(shape[0])[:, None, None]
    for image, component in zip(maps.double().numpy(), first_component(maps), strict=True):
        rows = image.reshape(shape[0], -1).T
        rows = rows - rows.mean(0)
        left, values, right = np.linalg.svd(rows, full_matrices=False)
        component = component.flatten().numpy()
        np.testing.assert_allclose(np.abs(component), np.abs(left[:, 0] * values[0]), atol=1e-6)
        np.testing.assert_allclose(np.abs(component), np.abs(rows @ right[0]), atol=1e-6)
        assert component @ rows.mean(1) >= -1e-9


def test_the_sign_does_not_turn_with_the_maps():
    maps = torch.rand(1, 8, 5, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(first_component(-maps), -first_component(maps))


def test_one_pattern_in_every_channel_is_found_whatever_the_constants_are():
    """A_k = c_k + s_k P with s > 0: the component is (P - mean P) · |s|."""
    pattern = torch.tensor([[0.0, 0, 1], [0, 2, 3]], dtype=torch.float64)
    scales, constants = torch.tensor([1.0, 2.0, 2.0]), torch.tensor([7.0, -100.0, 0.0])
    maps = (constants[:, None, None] + scales[:, None, None] * pattern)[None]
    torch.testing.assert_close(first_component(maps)[0], (pattern - 1) * 3, atol=1e-6, rtol=0)


def test_channels_that_are_constant_count_nothing_and_alone_give_exact_zeros():
    maps = torch.full((1, 4, 3, 3), 0.1) + torch.arange(4).view(4, 1, 1)
    assert not first_component(maps).any()
    varying = torch.randn(1, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    alone, together = first_component(varying), first_component(torch.cat([varying, maps], 1))
    torch.testing.assert_close(together, alone)


def test_an_activation_that_is_not_finite_makes_its_image_nan_and_no_other():
    maps = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    broken = maps.clone()
    broken[1, 2, 3, 3] = torch.inf
    component = first_component(broken)
    assert component[1].isnan().all()
    torch.testing.assert_close(component[[0, 2]], first_component(maps)[[0, 2]])


def test_eigen_cam_looks_at_no_class(networks, torch_model, prepare):
    prepared = prepare(torch_model(networks.seeded(networks.plain)), "3")
    method = METHODS["eigencam"]
    maps = [method.explain(prepared, prepared.targets(wanted, [None] * 3), method.options()) for wanted in (0, 1)]
    for saliency, other in zip(*maps, strict=True):
        np.testing.assert_array_equal(saliency.values, other.values)
