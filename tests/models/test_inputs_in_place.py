"""A network that writes into what it is given sees each picture once, however often it is asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.images import ImageSet
from lumiscope.models import TorchModel
from lumiscope.study import explain


class Normalising(torch.nn.Module):
    def __init__(self, network: torch.nn.Module, in_place: bool) -> None:
        super().__init__()
        self.network, self.in_place = network, in_place

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.network(inputs.mul_(2).sub_(1) if self.in_place else inputs * 2 - 1)
        return scores


@pytest.mark.parametrize("method", ["gradcam", "ablationcam", "scorecam", "saliency", "lime"])
def test_maps_are_those_of_the_same_network_that_copies(tiny: TorchModel, pictures: ImageSet, method: str) -> None:
    maps = []
    for in_place in (False, True):
        network = Normalising(tiny.module, in_place).eval()
        model = TorchModel(network, tiny.geometry, mean=tiny.mean, std=tiny.std, classes=tiny.classes)
        layer = "network.1" if method.endswith("cam") else None
        options = {"lime": {"num_samples": 20}} if method == "lime" else None
        maps.append(explain(model, pictures[:2], methods=[method], layer=layer, options=options, backend="torch"))
    for copied, written in zip(*maps, strict=True):
        np.testing.assert_allclose(written.values, copied.values, rtol=1e-5, atol=1e-6)
