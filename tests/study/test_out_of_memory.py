"""Maps do not depend on how many images fit into memory at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.images import ImageSet
from lumiscope.models import TorchModel
from lumiscope.study import explain

OPTIONS = {"lime": {"num_samples": 20}, "kernelshap": {"num_samples": 20}, "rise": {"num_masks": 20}}
OPTIONS |= {"smoothgrad": {"num_samples": 4}, "integrated_gradients": {"steps": 4}, "occlusion": {"window": 16}}


class Limited(torch.nn.Module):
    """A network that needs more memory than there is for more than `most` images."""

    def __init__(self, network: torch.nn.Module, most: int) -> None:
        super().__init__()
        self.network, self.most = network, most

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        if len(inputs) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        logits: torch.Tensor = self.network(inputs)
        return logits


@pytest.mark.parametrize("most", [3, 2])
def test_maps_are_the_same_where_few_images_fit(tiny: TorchModel, pictures: ImageSet, most: int) -> None:
    def maps(network: torch.nn.Module) -> list[np.ndarray]:
        model = TorchModel(network.eval(), tiny.geometry, mean=tiny.mean, std=tiny.std, classes=tiny.classes)
        saliencies = explain(model, pictures[:5], methods="*", layer="network.1", options=OPTIONS, backend="torch")
        return [saliency.values for saliency in saliencies]

    unlimited = maps(Limited(tiny.module, 1000))
    for ours, expected in zip(maps(Limited(tiny.module, most)), unlimited, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-5)
