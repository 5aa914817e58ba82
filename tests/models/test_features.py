"""Networks cut off before their classifier, of which nobody says so, and classifiers that look like these."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from lumiscope.images import Geometry
from lumiscope.models import TorchModel

GEOMETRY = Geometry((96, 96), mode="squash")


class Net(nn.Module):
    """Eight maps, on which `parts` work, and what `end` makes of what they give."""

    def __init__(self, *parts: nn.Module, end=lambda numbers: numbers):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.BatchNorm2d(8), nn.ReLU())
        self.parts, self.end = nn.Sequential(*parts), end

    def forward(self, inputs):
        return self.end(self.parts(self.stem(inputs)))


class Skip(nn.Module):
    """What it is given, and more."""

    def __init__(self):
        super().__init__()
        self.more = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, maps):
        return maps + self.more(maps)


def pooled(*parts, end=lambda numbers: numbers):
    return Net(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), end=end)


def behind_linear(*parts, width=12, end=lambda numbers: numbers):
    return Net(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, width), *parts, end=end)


class Projected(nn.Module):
    """Eight features, to which a weight called `name` is applied: of a layer, of a row of layers, or on its own."""

    def __init__(self, name, kind="layer"):
        super().__init__()
        self.stem, self.name, self.kind = pooled(), name, kind
        holder = self
        *outer, last = name.split(".")
        for part in outer:
            holder.add_module(part, nn.Module())
            holder = getattr(holder, part)
        layers = {
            "layer": lambda: nn.Linear(8, 12, bias=False),
            "row": lambda: nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 12)),
            "convolution": lambda: nn.Conv2d(8, 12, 1),
        }
        if kind == "matrix":
            setattr(holder, last, nn.Parameter(torch.randn(8, 12)))
        else:
            holder.add_module(last, layers[kind]())

    def forward(self, inputs):
        part = self
        for name in self.name.split("."):
            part = getattr(part, name)
        if self.kind == "convolution":
            return part(self.stem(inputs)[:, :, None, None]).mean((2, 3))
        return self.stem(inputs) @ part if self.kind == "matrix" else part(self.stem(inputs))


def trunk(name):
    """All parts of a network of torchvision but the last."""
    return nn.Sequential(*list(getattr(torchvision.models, name)(weights=None).children())[:-1])


def without_last_layer(name):
    network = getattr(torchvision.models, name)(weights=None)
    network.classifier = network.classifier[:-1]
    return network


FEATURES = {
    "children of a resnet": (lambda: trunk("resnet18"), 512),
    "classifier[:-1]": (lambda: without_last_layer("alexnet"), 4096),
    "classifier[:-1] in a wrapper": (lambda: nn.Sequential(without_last_layer("mobilenet_v3_small")), 1024),
    "features alone": (lambda: torchvision.models.mobilenet_v2(weights=None).features, 1280),
    "features and pooling": (lambda: nn.Sequential(trunk("squeezenet1_1"), nn.AdaptiveAvgPool2d(1)), 512),
    "features that end in the largest": (lambda: nn.Sequential(trunk("vgg11"), nn.AdaptiveAvgPool2d(1)), 512),
    "batch norm": (lambda: behind_linear(nn.BatchNorm1d(12)), 12),
    "layer norm, dropout": (lambda: behind_linear(nn.LayerNorm(12), nn.Dropout()), 12),
    "gelu": (lambda: behind_linear(nn.GELU()), 12),
    "a swish written down": (lambda: behind_linear(end=lambda rows: rows * rows.sigmoid()), 12),
    "a skip connection": (lambda: pooled(Skip()), 8),
    "mean and maximum": (lambda: Net(end=lambda maps: torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)), 16),
    "a generalised mean": (lambda: Net(end=lambda maps: maps.clamp(1e-6).pow(3).mean((2, 3)).pow(1 / 3)), 8),
    "two ways": (lambda: pooled(end=lambda rows: (rows + rows.flip(1)) / 2), 8),
    "channels last": (lambda: Net(end=lambda maps: functional.layer_norm(maps.permute(0, 2, 3, 1), (8,))), 8),
    "CLIP's own matrix": (lambda: Projected("proj", "matrix"), 12),
    "CLIP of transformers": (lambda: Projected("visual_projection"), 12),
    "CLIP's pooling by attention": (lambda: Projected("attnpool.c_proj"), 12),
    "SimCLR's projector": (lambda: Projected("projector", "row"), 12),
    "a projection's head": (lambda: Projected("projection_head", "row"), 12),
    "a projection by a convolution": (lambda: Projected("proj", "convolution"), 12),
    "of length 1": (lambda: behind_linear(end=lambda rows: functional.normalize(rows, dim=1)), 12),
    "of length 1 by hand": (lambda: behind_linear(end=lambda rows: rows / rows.norm(dim=1, keepdim=True)), 12),
}  # fmt: skip


@pytest.mark.parametrize("case", FEATURES)
def test_features_of_which_nobody_says_so(case) -> None:
    make, width = FEATURES[case]
    model = model_of(make())
    assert model.headless
    assert model.classes == tuple(f"feature {index}" for index in range(width))
    assert model.notes[-1] == f"it has no classifier: its {width} outputs are features, no classes"


def model_of(module, **given):
    return TorchModel(module.eval(), GEOMETRY, mean=(0.5,) * 3, std=(0.25,) * 3, **given)


def declared(network=None):
    network = network or behind_linear(nn.BatchNorm1d(12))
    network.num_classes = 12
    return network


CLASSIFIERS = {
    "squeezenet": lambda: torchvision.models.squeezenet1_1(weights=None),
    "resnet": lambda: torchvision.models.resnet18(weights=None),
    "linear": behind_linear,
    "a convolution": lambda: pooled(nn.Conv2d(8, 10, 1)),
    "rectified scores, as in NIN": lambda: pooled(nn.Conv2d(8, 10, 1), nn.ReLU()),
    "also normed": lambda: pooled(nn.Conv2d(8, 40, 1), nn.Conv2d(40, 10, 1), nn.BatchNorm2d(10), nn.ReLU()),
    "of several sums": lambda: behind_linear(end=lambda rows: rows + rows.relu() @ torch.eye(12)),
    "a temperature": lambda: behind_linear(end=lambda rows: rows / 2),
    "one-hot rows have length 1, too": lambda: behind_linear(end=lambda rows: (1e4 * rows).softmax(1)),
    "a sigmoid of straight lines": lambda: behind_linear(end=lambda rows: functional.relu6(rows + 3) / 6),
    "yes or no": lambda: behind_linear(nn.BatchNorm1d(1), width=1),
    "the network says so": declared,
    "also of a projection": lambda: declared(Projected("proj")),
    "a projection of a classifier": lambda: Projected("classifier.proj"),
    "a projection to the output": lambda: Projected("out_proj"),
    "projects": lambda: Projected("project"),
    "behind a projection": lambda: nn.Sequential(Projected("proj"), nn.Linear(12, 5)),
}


@pytest.mark.parametrize("case", CLASSIFIERS)
def test_scores_that_look_like_features(case) -> None:
    assert not model_of(CLASSIFIERS[case]()).headless


def test_who_names_classes_has_them() -> None:
    assert not model_of(behind_linear(nn.ReLU()), classes=tuple("abcdefghijkl")).headless
    assert not model_of(behind_linear(nn.ReLU()), activation="softmax").headless


def test_features_of_maps_are_their_mean_whatever_the_order_of_the_axes() -> None:
    last = model_of(FEATURES["channels last"][0]())
    pixels = torch.zeros(1, 96, 96, 3, dtype=torch.uint8).numpy()
    with torch.no_grad():
        expected = last.module(last.inputs(pixels)).mean((1, 2))
    torch.testing.assert_close(torch.from_numpy(last.predict(pixels)), expected)
