"""A network without a classifier: dissected, explained unit by unit, and asked about no class."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.errors import ModelError, UsageError
from lumiscope.images import Geometry, ImageSet
from lumiscope.models import TorchModel
from lumiscope.study import dissect, explain

GEOMETRY = Geometry((32, 32), mode="squash")
NOTE = "it has no classifier: its 8 outputs are features, no classes"


class Backbone(nn.Module):
    """Maps, and what `end(net, maps)` makes of them."""

    def __init__(self, end=lambda net, maps: maps.mean((2, 3)), **parts: nn.Module):
        super().__init__()
        torch.manual_seed(0)
        self.maps = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), nn.ReLU())
        self.end = end
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, inputs: torch.Tensor) -> object:
        return self.end(self, self.maps(inputs))


def of_no_classes(end=lambda net, maps: maps.mean((2, 3))) -> Backbone:
    """As timm makes them with num_classes=0."""
    module = Backbone(end)
    module.num_classes = 0
    return module


def model_of(module: nn.Module, **given: object) -> TorchModel:
    return TorchModel(module.eval(), GEOMETRY, mean=(0.5,) * 3, std=(0.25,) * 3, name="net", **given)


BACKBONES = {
    "no classes": of_no_classes,
    "no pooling": lambda: of_no_classes(lambda net, maps: maps),
    "tokens": lambda: of_no_classes(lambda net, maps: maps.flatten(2).mT),
    "an identity for a head": lambda: Backbone(lambda net, maps: net.fc(maps.mean((2, 3))), fc=nn.Identity()),
    "a norm at the end": lambda: Backbone(lambda net, maps: net.norm(maps.mean((2, 3))), norm=nn.LayerNorm(8)),
    "by name": lambda: Backbone(lambda net, maps: {"last_hidden_state": maps, "pooler_output": maps.mean((2, 3))}),
    "maps by name": lambda: Backbone(lambda net, maps: {"last_hidden_state": maps}),
}


@pytest.mark.parametrize("kind", BACKBONES)
def test_its_numbers_are_no_classes(kind: str, pictures: ImageSet) -> None:
    model = model_of(BACKBONES[kind]())
    assert model.headless
    assert model.notes[-1] == NOTE
    assert model.classes == tuple(f"feature {index}" for index in range(8))
    with pytest.raises(
        UsageError, match=r"net has no classifier: its 8 outputs are features\. Explain a unit .*--unit"
    ):
        explain(model, pictures[:1], methods="gradcam")
    (saliency,) = explain(model, pictures[:1], methods="gradcam", unit="maps.1:3")
    with torch.no_grad():
        expected = model.module.maps(model.inputs([model.view(pictures[0])]))[:, 3:4]
        values = nn.functional.interpolate(expected, (32, 32), mode="bilinear")[0, 0] / expected.numel()
    assert saliency.target.logit == pytest.approx(float(expected.mean()), rel=1e-5)
    np.testing.assert_allclose(saliency.values, values.numpy(), rtol=1e-4)
    labels = dissect(model, pictures, layers=["maps.1"], scorer="table:scores.npz", similarity="cos")
    assert len(labels.layers[0].concept) == 8


def test_who_names_the_classes_has_them(pictures: ImageSet) -> None:
    model = model_of(BACKBONES["a norm at the end"](), classes=tuple("abcdefgh"))
    assert not model.headless
    assert explain(model, pictures[:1], methods="gradcam", target="c")[0].target.index == 2
    with pytest.raises(ModelError, match="expected 8 class names for module, one a logit; got 2"):
        model_of(of_no_classes(), classes=("cat", "dog"))


def test_a_classifier_is_no_backbone() -> None:
    head = nn.Sequential(nn.Flatten(), nn.Linear(8, 4))
    for module in (
        Backbone(lambda net, maps: net.head(maps.mean((2, 3))), head=head),
        Backbone(lambda net, maps: net.fc(net.head(maps.mean((2, 3)))), head=nn.Identity(), fc=nn.Linear(8, 4)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1)),
    ):
        assert not model_of(module).headless
