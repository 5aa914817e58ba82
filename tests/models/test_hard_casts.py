"""Networks that cast to another width inside `forward` run as they are, and their maps are those of float32."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.models import TorchModel
from lumiscope.testing import _networks

WIDTHS = {torch.float16: 0.02, torch.bfloat16: 0.1, torch.float64: 1e-4}
"""How far a map may be from that in float32, as a share of its largest value."""


class Whole(nn.Module):
    """Weights of another width, and a cast of the picture to it."""

    def __init__(self, width: torch.dtype) -> None:
        super().__init__()
        self.network = _networks.seeded(_networks.plain()).to(width)
        self.width = width

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.network(inputs.to(self.width))


class Head(nn.Module):
    """A last layer of another width."""

    def __init__(self, width: torch.dtype) -> None:
        super().__init__()
        self.network = _networks.seeded(_networks.plain())
        self.network[-1].to(width)
        self.width = width

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.network[-1](self.network[:-1](inputs).to(self.width)).float()


class Middle(nn.Module):
    """A function of other width in the middle, on weights that are cast."""

    def __init__(self, width: torch.dtype) -> None:
        super().__init__()
        self.network = _networks.seeded(_networks.plain())
        self.width = width

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        first = self.network[0]
        weight, bias = first.weight.to(self.width), first.bias.to(self.width)
        maps = nn.functional.conv2d(inputs.to(self.width), weight, bias, stride=2, padding=1)
        return self.network[1:](maps.relu().float())


def model_of(module: nn.Module) -> TorchModel:
    plain = _networks.plain_model()
    return TorchModel(module.eval(), plain.geometry, mean=plain.mean, std=plain.std)


@pytest.mark.parametrize("width", list(WIDTHS), ids=str)
@pytest.mark.parametrize("kind", [Whole, Head, Middle])
def test_it_runs_as_it_is(kind, width):
    model = model_of(kind(width))
    reference = model_of(_networks.seeded(_networks.plain()))
    views = _networks.views_of(2)
    with torch.no_grad():
        expected = model.module(model.inputs(views)).float().numpy()
    np.testing.assert_array_equal(model.predict(views), expected)
    prefix = "network."
    # a rounded activation may cross a ReLU's kink, where a pixel's own gradient jumps
    for name in ("gradcam", "ablationcam", *(["saliency"] if width == torch.float64 else [])):

        def values(loaded: TorchModel, layer: str, name: str = name) -> list[np.ndarray]:
            prepared = PreparedBatch(loaded, views, layer=layer)
            targets = prepared.targets(1, [None, None])
            maps = METHODS[name].explain(prepared, targets, METHODS[name].options())
            return [saliency.values for saliency in maps]

        for came, there in zip(values(model, f"{prefix}3"), values(reference, "3"), strict=True):
            np.testing.assert_allclose(came, there, rtol=0, atol=WIDTHS[width] * np.abs(there).max())
    assert {value.dtype for value in model.module.state_dict().values()} == {
        value.dtype for value in kind(width).state_dict().values()
    }
