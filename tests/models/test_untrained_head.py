"""Which last layers of a network were not loaded, and that it then has no classes to explain unless that is meant."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from lumiscope.errors import UsageError
from lumiscope.models import load_model
from lumiscope.models._untrained_head import untrained_head, untrained_matrices
from lumiscope.models.layers import trace_layers
from lumiscope.models.weights import AskedWeights
from models.timm_folder import write_folder


def conv_net(*head: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), *head).eval()


POOLED = (nn.AdaptiveAvgPool2d(1), nn.Flatten())


@pytest.mark.parametrize(
    ("network", "unloaded", "untrained"),
    [
        (conv_net(*POOLED, nn.Linear(4, 3)), {"5.bias"}, ["5"]),
        (conv_net(*POOLED, nn.Linear(4, 3)), {"0.weight", "1.running_mean"}, []),
        (conv_net(*POOLED, nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), {"5.weight"}, ["5"]),
        (conv_net(*POOLED, nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), {"5.weight", "7.bias", "0.bias"}, ["5", "7"]),
        (conv_net(nn.Conv2d(4, 3, 1), *POOLED), {"3.weight"}, ["3"]),
        (conv_net(nn.Conv2d(4, 3, 1), *POOLED), {"0.weight"}, []),
        (conv_net(*POOLED, nn.Sequential(nn.Dropout(), nn.Linear(4, 3))), {"5.1.weight"}, ["5.1"]),
    ],
)
def test_the_last_layers_are_those_behind_the_maps(network, unloaded, untrained):
    layers = trace_layers(network, torch.randn(2, 3, 16, 16))
    assert untrained_head(layers, network.state_dict(), unloaded) == untrained


def test_a_derived_classifier_is_a_last_layer():
    network = conv_net(*POOLED, nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)))
    layers = trace_layers(network, torch.randn(2, 3, 16, 16))
    assert untrained_head(layers, network.state_dict(), {"5.parametrizations.weight.original0"}) == ["5"]


def test_a_matrix_that_no_layer_owns_makes_scores_where_it_has_a_row_for_every_class():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.trunk, self.middle, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 6), nn.Linear(6, 5)

        def forward(self, x):
            mixed = nn.functional.linear(self.trunk(x).mean((2, 3)), self.middle.weight)
            return nn.functional.linear(mixed, self.head.weight)

    network, pictures = Net(), torch.randn(2, 3, 8, 8)
    parameters = dict(network.named_parameters())
    layers = trace_layers(network, pictures)
    assert [layer.name for layer in layers] == ["trunk"]
    assert untrained_matrices(layers, parameters, parameters.keys(), network(pictures)) == ["head.weight"]


@pytest.fixture
def folder(tmp_path):
    """A model of timm with three classes and its weights, as a folder."""
    write_folder(tmp_path / "mine")
    return tmp_path / "mine"


def test_a_classifier_of_another_size_is_left_out_and_said(folder):
    weights = folder / "model.safetensors"
    model = load_model("timm:test_resnet", weights=weights, weights_partial=True, num_classes=5, input_size=64)
    assert "2 of another shape: fc.weight (file (3, 96), model (5, 96)), fc.bias" in model.notes[0]
    assert model.notes[-1].startswith("the last layers with weights (fc) are not trained")
    assert "--weights random-head" in model.untrained
    meant = load_model(
        "timm:test_resnet", weights=[weights, "random-head"], weights_partial=True, num_classes=5, input_size=64
    )
    assert meant.notes == model.notes
    assert meant.untrained == ""
    assert load_model("timm:test_resnet", weights=weights, num_classes=3, input_size=64).untrained == ""
    assert load_model("timm:test_resnet", weights="random", num_classes=3, input_size=64).untrained == ""


def test_pretrained_weights_with_another_number_of_classes(folder):
    assert load_model(f"local-dir:{folder}").untrained == ""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_classes": 3}))
    model = load_model(f"local-dir:{folder}", num_classes=7)
    assert len(model.classes) == 7
    assert "(fc) are not trained" in model.untrained
    assert load_model(f"local-dir:{folder}", num_classes=7, weights="random-head").untrained == ""


@pytest.mark.parametrize(
    ("weights", "file", "random", "random_head"),
    [
        (None, None, False, False),
        ("random", None, True, False),
        ("a.pt", "a.pt", False, False),
        ("random-head", None, False, True),
        (["random-head", "a.pt"], "a.pt", False, True),
        (("random", "random-head"), None, True, True),
    ],
)
def test_what_is_said_of_weights(weights, file, random, random_head):
    asked = AskedWeights.of(weights)
    assert (asked.file and str(asked.file), asked.random, asked.random_head) == (file, random, random_head)
    assert asked.pretrained == (file is None and not random)


@pytest.mark.parametrize("weights", [["a.pt", "b.pt"], ["a.pt", "random"]])
def test_two_weights_are_one_too_many(weights):
    with pytest.raises(UsageError, match=r"expected one weight file, or 'random'.*got a\.pt"):
        AskedWeights.of(weights)
