"""Networks whose weights are derived (weight norm, pruning, …), with extra state, or quantised."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

import lumiscope
from lumiscope.errors import ModelError
from lumiscope.images import Geometry
from lumiscope.models import TorchModel
from lumiscope.models.guard import copied


def plain():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)
    ).eval()


class Symmetric(nn.Module):
    def forward(self, weight):
        return (weight + weight.flip(-1)) / 2


DERIVED = {
    "weight norm": weight_norm,
    "spectral norm": spectral_norm,
    "pruning": lambda part: prune.l1_unstructured(part, "weight", 0.5),
    "new weight norm": parametrizations.weight_norm,
    "new spectral norm": parametrizations.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
    "own": lambda part: parametrize.register_parametrization(part, "weight", Symmetric()),
}


def derived(name):
    network = plain()
    for part in (network[0], network[5]):
        DERIVED[name](part)
    return network.eval()


def with_the_same_weights(network):
    """A plain network whose weights are those that `network` derives."""
    network(torch.zeros(1, 3, 16, 16))
    same = plain()
    for number in (0, 5):
        same[number].weight.data = network[number].weight.detach().clone()
    return same


@pytest.fixture
def images(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return lumiscope.open_images(tmp_path)


def model_of(network):
    return TorchModel(network, Geometry((16, 16), mode="squash"), mean=(0,) * 3, std=(1,) * 3)


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm`:FutureWarning")
@pytest.mark.parametrize("name", DERIVED)
@pytest.mark.parametrize(("method", "backend"), [("gradcam", "auto"), ("saliency", "auto"), ("occlusion", "torch")])
@pytest.mark.parametrize("ran", [False, True])
def test_they_explain_like_plain_ones(images, name, method, backend, ran):
    expected = lumiscope.explain(
        model_of(with_the_same_weights(derived(name))), images, methods=[method], target=1, backend=backend
    )
    network = derived(name)
    if ran:  # with a history, which torch does not copy
        network(torch.randn(1, 3, 16, 16))
    maps = lumiscope.explain(model_of(network), images, methods=[method], target=1, backend=backend)
    np.testing.assert_allclose(maps[0].values, expected[0].values, atol=1e-4)


@pytest.mark.parametrize("name", DERIVED)
def test_what_makes_a_weight_is_no_layer(name):
    assert [layer.name for layer in model_of(derived(name)).layers] == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("name", DERIVED)
def test_a_copy_shares_nothing(name):
    network = derived(name)
    inputs = torch.randn(2, 3, 16, 16)
    before = network(inputs).detach()
    twin = copied(network)
    torch.testing.assert_close(twin(inputs), before)
    with torch.no_grad():
        for value in twin.parameters():
            value.zero_()
    torch.testing.assert_close(network(inputs), before)


class Stateful(nn.Linear):
    def get_extra_state(self):
        return {"calls": self.__dict__.get("calls", 0)}

    def set_extra_state(self, state):
        self.calls = state["calls"]


def test_extra_state_is_served_and_part_of_the_fingerprint(images):
    network = plain()
    network[5] = Stateful(8, 5).eval()
    model = model_of(network)
    before = model.fingerprint
    assert len(lumiscope.explain(model, images, methods=["gradcam", "lime"])) == 2
    network[5].calls = 7
    assert model_of(network).fingerprint != before
    assert model_of(network.half()).network[5].weight.dtype == torch.float32


@pytest.mark.filterwarnings("ignore")  # torch announces that its own quantisation moves elsewhere
def test_quantised_networks_are_refused_with_the_black_box_way():
    network = torch.ao.quantization.quantize_dynamic(plain(), {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(ModelError, match=r"; 5 is quantised.*python:module:function, is a black box"):
        model_of(network)


class Forwarding(nn.Module):
    """A network in the place of its `forward`, compiled alone."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.run = torch.compile(network.forward, backend="eager")

    def forward(self, x):
        return self.run(x)


def compiled_in_place(network):
    network.compile(backend="eager")
    return network


COMPILED = {
    "a network": lambda network: torch.compile(network, backend="eager"),
    "in place": compiled_in_place,
    "a part": lambda network: nn.Sequential(torch.compile(network[:3], backend="eager"), *network[3:]),
    "a function": Forwarding,
}


@pytest.mark.parametrize("way", COMPILED)
def test_a_compiled_network_is_explained_as_it_was_written(images, way):
    given = {"mean": (0.5,) * 3, "std": (0.5,) * 3}
    methods = ["gradcam", "ablationcam", "saliency"]
    network = COMPILED[way](plain())
    network(torch.zeros(2, 3, 16, 16))  # compiled before hooks are added
    maps = lumiscope.explain(TorchModel(network, Geometry((16, 16)), **given), images, methods=methods)
    expected = lumiscope.explain(TorchModel(plain(), Geometry((16, 16)), **given), images, methods=methods)
    for shown, same in zip(maps, expected, strict=True):
        np.testing.assert_allclose(shown.values, same.values, rtol=1e-5, atol=1e-7)


def test_lazy_weights_are_refused_in_words():
    network = nn.Sequential(nn.LazyConv2d(8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(2))
    with pytest.raises(ModelError, match=r"expected net to have weights; 0\.weight gets its shape when .* first runs"):
        TorchModel(network, Geometry((16, 16)), mean=(0.5,) * 3, std=(0.5,) * 3, spec="net")
    with torch.no_grad():
        network(torch.zeros(1, 3, 16, 16))
    assert len(TorchModel(network, Geometry((16, 16)), mean=(0.5,) * 3, std=(0.5,) * 3).classes) == 2


def test_lazy_weights_are_refused_before_a_checkpoint_is_fitted(tmp_path, monkeypatch):
    (tmp_path / "lazy_net.py").write_text("import torch\ndef make():\n    return torch.nn.LazyConv2d(8, 3)\n")
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": torch.zeros(8, 3, 3, 3), "bias": torch.zeros(8)}, "w.pt")
    with pytest.raises(ModelError, match="lazy module"):
        lumiscope.load_model("python:lazy_net:make", weights="w.pt")
