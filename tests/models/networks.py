"""Tiny networks, each with one difficulty: tests of the models and the attribution room share them."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import fx, nn
from torch.nn import functional

from lumiscope.testing import _networks
from token_networks import ChannelsLast as ChannelsLast
from token_networks import HubViT as HubViT
from token_networks import Patches as Patches


def seeded(factory, seed=0, dtype=torch.float32):
    """Build a network whose weights depend on `seed` alone, in evaluation mode, with lively batch norms."""
    return _networks.seeded(factory(), seed).to(dtype)


def plain(width=6, classes=4):
    """Layers 1 and 3 are ReLU maps; 3 is followed by global average pooling and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, width + 2, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width + 2, classes),
    )


class Classifier(nn.Module):
    """`features` of a subclass, pooled, through a linear layer `fc`."""

    def __init__(self, channels, classes=4):
        super().__init__()
        self.fc = nn.Linear(channels, classes)

    def forward(self, inputs):
        return self.fc(self.features(inputs).mean((2, 3)))


class Residual(Classifier):
    """A block whose inside cannot be cut out of the module tree alone: its input is added again at its end."""

    def __init__(self, width=6):
        super().__init__(width)
        self.stem = nn.Conv2d(3, width, 3, stride=4, padding=1)
        self.block = BasicBlock(width)
        self.act = nn.ReLU()

    def features(self, inputs):
        return self.act(self.block(self.stem(inputs)))


class BasicBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, inputs):
        out = self.relu(self.bn1(self.conv1(inputs)))
        out = self.bn2(self.conv2(out))
        out += inputs
        return self.relu(out)


class InPlace(Classifier):
    """An in-place ReLU overwrites what `bn` gave."""

    def __init__(self, width=6):
        super().__init__(width)
        self.conv = nn.Conv2d(3, width, 3, stride=4, padding=1)
        self.bn = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)

    def features(self, inputs):
        return self.relu(self.bn(self.conv(inputs)))


class OverwritesContext(Classifier):
    """The part after `right` overwrites, in place, what came before it."""

    def __init__(self, width=6):
        super().__init__(width)
        self.left = nn.Conv2d(3, width, 3, stride=4, padding=1)
        self.right = nn.Conv2d(width, width, 3, padding=1)

    def features(self, inputs):
        left = self.left(inputs)
        return left.add_(self.right(left).relu())


class Reused(Classifier):
    """`mix` runs twice, and the scores depend on both runs; a cut is at the last."""

    def __init__(self, width=6):
        super().__init__(width)
        self.stem = nn.Conv2d(3, width, 3, stride=4, padding=1)
        self.mix = nn.Conv2d(width, width, 3, padding=1)

    def features(self, inputs):
        return self.mix(self.mix(self.stem(inputs)).relu()).relu()


class Dense(Classifier):
    """DenseNet's concatenations: everything before the cut is needed after it."""

    def __init__(self, width=4):
        super().__init__(3 * width)
        self.stem = nn.Conv2d(3, width, 3, stride=4, padding=1)
        self.one = nn.Conv2d(width, width, 3, padding=1)
        self.two = nn.Conv2d(2 * width, width, 3, padding=1)

    def features(self, inputs):
        stem = self.stem(inputs)
        output = self.one(stem.relu())
        two = self.two(torch.cat([stem, output], 1).relu())
        return torch.cat([stem, output, two], 1).relu()


class DataDependent(Classifier):
    """Its way depends on the pixels, so that no graph describes it."""

    def __init__(self, width=6):
        super().__init__(width)
        self.stem = nn.Conv2d(3, width, 3, stride=4, padding=1)
        self.mix = nn.Conv2d(width, width, 3, padding=1)

    def features(self, inputs):
        out = self.stem(inputs)
        if float(inputs.detach().abs().sum()) > 0:
            out = out.relu()
        return self.mix(out).relu()


class TupleLayer(Classifier):
    """The layer `pair` gives a tuple, of which the first tensor is the map."""

    def __init__(self, width=6):
        super().__init__(width)
        self.pair = Pair(width)

    def features(self, inputs):
        maps, gain = self.pair(inputs)
        return maps.relu() * gain


class Pair(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, stride=4, padding=1)

    def forward(self, inputs):
        return self.conv(inputs), 2.0


class DictLayer(Classifier):
    """The layer `parts` gives a dict; its map is under `logits`, not the first entry."""

    def __init__(self, width=6):
        super().__init__(width)
        self.parts = Parts(width)

    def features(self, inputs):
        parts = self.parts(inputs)
        return parts["logits"].relu() + parts["gain"].mean()


class Parts(Pair):
    def forward(self, inputs):
        return {"gain": inputs.mean((2, 3)).mean() * 0 + torch.ones(1), "logits": self.conv(inputs)}


class Wrapped(nn.Module):
    """The logits in a tuple, a dict or an object with `.logits`."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.net = plain()

    def forward(self, inputs):
        logits = self.net(inputs)
        if self.kind == "tuple":
            return logits, inputs
        if self.kind == "dict":
            return {"loss": None, "hidden": inputs, "logits": logits}
        return SimpleNamespace(hidden=inputs, logits=logits)


class Functional(Classifier):
    """`plain`, but all that follows `conv2` is functional."""

    def __init__(self, width=6):
        super().__init__(width + 2)
        self.conv1 = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(width, width + 2, 3, stride=2, padding=1)

    def features(self, inputs):
        return functional.relu(self.conv2(functional.relu(self.conv1(inputs), inplace=True)), inplace=True)


class Curved(Classifier):
    """What follows `maps` bends everywhere, so that second derivatives are not 0."""

    def __init__(self, width=6):
        super().__init__(width)
        self.stem = nn.Conv2d(3, width, 3, stride=4, padding=1)
        self.maps = nn.ReLU()
        self.mix = nn.Conv2d(width, width, 3, padding=1)

    def features(self, inputs):
        return functional.gelu(self.mix(self.maps(self.stem(inputs))))


class OtherWhenTraced(Classifier):
    """`plain`, but a graph made of it is off by a factor, as where code asks whether it is being traced."""

    def __init__(self, factor, width=6):
        super().__init__(width + 2)
        self.conv1 = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(width, width + 2, 3, stride=2, padding=1)
        self.factor = factor

    def features(self, inputs):
        gain = self.factor if isinstance(inputs, fx.Proxy) else 1.0
        return gain * self.conv2(gain * self.conv1(inputs).relu()).relu()


class Raising(nn.Module):
    """Passes its input on, until it is told to raise."""

    def __init__(self):
        super().__init__()
        self.armed = False
        self.calls_left = 0

    def forward(self, inputs):
        if self.armed:
            self.calls_left -= 1
            if self.calls_left < 0:
                raise RuntimeError("raised midway")
        return inputs


class CalledAgain(Classifier):
    """The trunk runs again for a mask, which has nothing to do with the scores; `again`: "after", "before" or "wild".

    "wild": after, on a way that no graph describes.
    """

    def __init__(self, width=6, again="after"):
        super().__init__(width)
        self.trunk = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=4, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU()
        )
        self.again = again

    def features(self, inputs):
        if self.again == "before":
            self.trunk(torch.ones_like(inputs))
        features = self.trunk(inputs)
        if self.again == "after" or (self.again == "wild" and inputs.sum() > -1e9):
            self.trunk(torch.ones_like(inputs)).mean(1)
        return features
