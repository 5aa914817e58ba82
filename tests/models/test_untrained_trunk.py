"""Random layers before a trained classifier: what it says of classes means as little as if it were random itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lumiscope.models import load_model
from lumiscope.models._untrained_trunk import untrained_trunk
from lumiscope.models.layers import trace_layers


class Block(nn.Module):
    """Adds two convolutions to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.norm, self.two = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, inputs):
        return inputs + self.two(self.norm(self.one(inputs)).relu())


class Net(nn.Module):
    """A stem of 112 numbers, blocks of 312, a classifier of 15, and a part that never runs."""

    def __init__(self, blocks: int = 3, norms: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.blocks = nn.Sequential(*(Block() for _ in range(blocks)))
        self.norms = nn.Sequential(*(nn.BatchNorm2d(4) for _ in range(5 * norms)))
        self.fc = nn.Linear(4, 3)
        self.aside = nn.Linear(100, 100)

    def forward(self, inputs):
        return self.fc(self.norms(self.blocks(self.stem(inputs))).mean((2, 3)))


STEM, FIRST, SECOND = "stem.", "blocks.0.", "blocks.1."


@pytest.mark.parametrize(
    ("network", "left_out", "untrained"),
    [
        (Net(), STEM, ["stem"]),  # which nothing gets around
        (Net(), "stem.bias", []),
        (Net(), FIRST, []),  # 312 of 1048 numbers, beside a way around
        (Net(), (FIRST, SECOND), [f"blocks.{n}.{part}" for n in (0, 1) for part in ("one", "norm", "two")]),
        (Net(1), "blocks.0.two.", []),  # 148 of 424
        (Net(1), FIRST, ["blocks.0.one", "blocks.0.norm", "blocks.0.two"]),
        (Net(1, norms=True), "norms.0.running_var", ["norms.0"]),
        (Net(1, norms=True), ("norms.0.weight", "norms.1.bias"), []),
        (Net(), ("fc.", "aside."), []),  # of the last layer others tell
        (Net(), ("stem.", "fc.", "blocks.0.norm.running_mean"), ["stem", "blocks.0.norm"]),
    ],
)
def test_which_layers_make_the_scores_random(network, left_out, untrained):
    layers = trace_layers(network.eval(), torch.randn(2, 3, 16, 16))
    weights = network.state_dict()
    unloaded = {key for key in weights if key.startswith(left_out)}
    assert untrained_trunk(layers, weights, unloaded) == untrained


def test_statistics_that_are_most_of_what_decides_though_ways_lead_around_them():
    """A file of parameters alone: 3 pairs of statistics beside 7 kernels; 5 beside 5."""

    class Around(nn.Module):
        def __init__(self, norms: int, kernels: int) -> None:
            super().__init__()
            self.norms = nn.ModuleList(nn.BatchNorm2d(4) for _ in range(norms))
            self.kernels = nn.ModuleList(nn.Conv2d(4, 4, 1) for _ in range(kernels - 1))
            self.stem, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

        def forward(self, inputs):
            maps = self.stem(inputs)
            for part in (*self.norms, *self.kernels):
                maps = maps + part(maps)
            return self.fc(maps.mean((2, 3)))

    for norms, kernels, untrained in ((3, 7, []), (5, 5, [f"norms.{n}" for n in range(5)])):
        network = Around(norms, kernels).eval()
        weights = network.state_dict()
        unloaded = {key for key in weights if key.endswith(("running_mean", "running_var"))}
        assert untrained_trunk(trace_layers(network, torch.randn(2, 3, 16, 16)), weights, unloaded) == untrained


def test_classes_are_not_explained_and_what_can_be_done_is_said(tmp_path, monkeypatch):
    (tmp_path / "trunks.py").write_text(
        "from torch import nn\n"
        "def make():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(),\n"
        "                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    state = load_model("python:trunks:make", input_size=16).module.state_dict()

    def load(left_out, *said):
        torch.save({key: value for key, value in state.items() if not key.startswith(left_out)}, tmp_path / "w.pt")
        weights = [tmp_path / "w.pt", *said]
        return load_model("python:trunks:make", weights=weights, weights_partial=True, input_size=16)

    inner = load("2.")
    assert "layers that its scores pass through (2) are not trained: they and all behind them" in inner.untrained
    assert "dissect its layers before 2 or explain their units" in inner.untrained
    assert inner.untrained.endswith("say that random weights are meant: --weights random-head")
    everything_but_the_classifier = load(("0.", "2."))
    assert "(0, 2) are not trained" in everything_but_the_classifier.untrained
    assert "dissect" not in everything_but_the_classifier.untrained
    both = load(("2.", "6."))
    assert "the last layers with weights (6) are not trained" in both.notes[-2]
    assert "(2) are not trained" in both.notes[-1]
    meant = load("2.", "random-head")
    assert (meant.notes, meant.untrained) == (inner.notes, "")
    assert load("2.bias").untrained == ""
