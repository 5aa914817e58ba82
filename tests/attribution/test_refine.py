"""Score-CAM under `fast`: rough scores for all channels, exact ones for those that matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.attribution.methods.scorecam import refine
from lumiscope.models import Choice
from lumiscope.models.backends.registry import half_is_fast

WITHIN = 0.02


def shown(scores, maps):
    mixed = (scores.double().softmax(0) @ maps.double()).clamp(min=0)
    return (mixed - mixed.min()) / (mixed.max() - mixed.min())


def game(seed, channels=600, noise=0.4, spread=2.0):
    """Maps, exact scores, rough ones, and a list that grows by the channels that were asked for exactly."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.rand(channels, 49, generator=generator).square()
    exact = spread * torch.randn(channels, generator=generator)
    rough = exact + 0.7 + noise * torch.randn(channels, generator=generator)
    asked = []

    def score(wanted):
        asked.extend(wanted.tolist())
        return exact[wanted]

    return maps, exact, rough, score, asked


@pytest.mark.parametrize("seed", range(10))
def test_the_map_is_within_what_is_allowed_for_fewer_exact_scores(seed):
    maps, exact, rough, score, asked = game(seed)
    came = refine(rough, torch.ones(600, dtype=torch.bool), maps, score)
    assert (shown(came, maps) - shown(exact, maps)).abs().max() <= WITHIN
    assert len(set(asked)) == len(asked) < 600
    torch.testing.assert_close(came[asked], exact[asked].double())


def test_rough_scores_that_are_right_but_for_a_shift_cost_one_round():
    maps, exact, rough, score, asked = game(0, noise=0)
    came = refine(rough, torch.ones(600, dtype=torch.bool), maps, score)
    assert len(asked) == 32
    torch.testing.assert_close(came, exact.double(), rtol=0, atol=1e-5)


def test_where_rough_scores_are_worthless_all_are_exact():
    maps, exact, _, score, asked = game(0, channels=100)
    came = refine(torch.zeros(100), torch.ones(100, dtype=torch.bool), maps, score)
    assert len(asked) == 100
    torch.testing.assert_close(came, exact.double())


def test_channels_without_a_score_of_their_own_are_known():
    maps, exact, rough, score, asked = game(1)
    varies = torch.arange(600) % 3 > 0
    rough[~varies] = exact[~varies] = -1.0
    came = refine(rough, varies, maps, score)
    assert all(channel % 3 for channel in asked)
    torch.testing.assert_close(came[~varies], exact[~varies].double())


def test_a_map_of_nothing_is_refined_to_the_end():
    maps, _, rough, score, asked = game(2, channels=40)
    refine(rough, torch.ones(40, dtype=torch.bool), -maps, score)
    assert len(asked) == 40


@pytest.mark.skipif(not half_is_fast("cpu"), reason="this processor has no bfloat16")
@pytest.mark.parametrize("seed", range(3))
def test_fast_maps_are_near_exact_ones(networks, torch_model, prepare, seed):
    model = torch_model(networks.seeded(networks.Residual, seed))
    maps = []
    for precision in ("exact", "fast"):
        session = model.session(Choice("torch", "torch", precision, "float32", 0.0, ""))
        prepared = PreparedBatch(model, prepare(model).views, layer="act", session=session)
        method = METHODS["scorecam"]
        maps.append(method.explain(prepared, prepared.targets(1, [None] * 3), method.options()))
    for exact, fast in zip(*maps, strict=True):
        np.testing.assert_allclose(fast.display(), exact.display(), atol=WITHIN)
