"""Networks that change their own state as they run: every run begins from the same one, and leaves it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from lumiscope.images import Geometry, open_images
from lumiscope.models import TorchModel
from lumiscope.models._settled import changed_by_running, state_of
from lumiscope.models.guard import borrowed, restored
from lumiscope.study import explain

SIZE = (16, 24)


class Net(nn.Module):
    """`maps` normalised by `how`, and a classifier of their means."""

    def __init__(self, how, after=lambda net: None, end=lambda z: z) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.maps = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))
        self.norm, self.act, self.fc = nn.BatchNorm2d(8), nn.ReLU(), nn.Linear(8, 5)
        self.register_buffer("level", torch.zeros(()))
        self.plain_level, self.calls, self.stored, self.grid = torch.zeros(()), 0, torch.zeros(()), None
        self.how, self.after, self.end = how, after, end

    def forward(self, inputs):
        normalised = self.how(self, self.maps(inputs))
        self.after(self)
        return self.end(self.fc(self.act(normalised).mean((2, 3))))


def trained(net, maps):
    net.norm.train()
    return net.norm(maps)


def both_modes(net, maps):
    first = trained(net, maps)
    net.norm.eval()
    return first + net.norm(maps)


def whole_in_training(net, maps):
    net.train()
    return net.norm(maps)


def by_function(net, maps):
    return functional.batch_norm(maps, net.norm.running_mean, net.norm.running_var, training=True)


def untracked(net, maps):
    net.norm.track_running_stats = False
    net.norm.running_mean = net.norm.running_var = None
    return net.norm(maps)


def buffer_in_place(net, maps):
    net.level.mul_(0.5).add_(maps.detach().mean())
    return maps - net.level


def buffer_anew(net, maps):
    net.level = 0.5 * net.level + maps.detach().mean()
    return maps - net.level


def plain_tensor(net, maps):
    net.plain_level += maps.detach().mean()
    return maps - net.plain_level


def counted(net, maps):
    net.calls += 1
    return maps * net.calls


def weight_in_place(net, maps):
    with torch.no_grad():
        net.fc.weight *= 0.5
    return net.norm(maps)


def largest_norm(net, maps):
    """As in EEGNet: a weight is kept within a norm by whoever uses it."""
    net.fc.weight.data = torch.renorm(net.fc.weight.data, p=2, dim=0, maxnorm=0.1)
    return net.norm(maps)


def weight_anew(net, maps):
    net.fc.weight = nn.Parameter(net.fc.weight.detach() + maps.detach().mean())
    return net.norm(maps)


def weight_after_use(net, maps):
    normalised = net.norm(maps)
    net.norm.weight.data.mul_(1.1)
    return normalised


CHANGING = {
    "norm.train()": (trained, "norm.running_mean"),
    "train(), then eval()": (both_modes, "norm.running_mean"),
    "self.train()": (whole_in_training, "training"),
    "batch_norm(training=True)": (by_function, "norm.running_mean"),
    "no statistics": (untracked, "norm.track_running_stats"),
    "a buffer in place": (buffer_in_place, "level"),
    "a buffer anew": (buffer_anew, "level"),
    "a plain tensor": (plain_tensor, "plain_level"),
    "a counter": (counted, "calls"),
    "a weight in place": (weight_in_place, "fc.weight"),
    "a weight within a norm": (largest_norm, "fc.weight"),
    "a weight anew": (weight_anew, "fc.weight"),
    "a weight after its use": (weight_after_use, "norm.weight"),
}


def model_of(net: nn.Module) -> TorchModel:
    return TorchModel(net.eval(), Geometry(SIZE, mode="squash"), mean=(0.5,) * 3, std=(0.25,) * 3)


@pytest.fixture
def pictures(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(3):
        pixels = generator.random((*SIZE, 3)) * (60 + 90 * number)
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{number}.png")
    return tmp_path


def state(net):
    tensors = {name: (id(value), value.clone()) for name, value in net.state_dict(keep_vars=True).items()} | {
        "plain": (id(net.plain_level), net.plain_level.clone())
    }
    return tensors, net.calls, net.norm.track_running_stats, {name: part.training for name, part in net.named_modules()}


def same(before, after):
    assert before[1:] == after[1:]
    assert before[0].keys() == after[0].keys()
    for name, (identity, value) in before[0].items():
        assert after[0][name][0] == identity
        assert torch.equal(after[0][name][1], value), name


@pytest.mark.parametrize("case", CHANGING)
def test_a_picture_has_the_scores_and_maps_of_a_fresh_network_given_it_alone(case, pictures) -> None:
    how, changed = CHANGING[case]
    net = Net(how).eval()
    fresh, before = copy.deepcopy(net), state(net)
    model = model_of(net)
    same(before, state(net))
    assert any(note.startswith("its forward pass changes its own state (") for note in model.notes)
    assert any(changed in note for note in model.notes)
    images = open_images(pictures)
    inputs = model.inputs([model.view(item) for item in images])
    with torch.no_grad():
        expected = torch.cat([copy.deepcopy(fresh)(row[None]) for row in inputs])
    for backend in ("eager", "torch", "openvino"):
        session = model.session(model.choose_backend(backend))
        for _ in range(2):
            torch.testing.assert_close(session.logits(inputs), expected, rtol=1e-4, atol=1e-5)
    split = model.split("maps.2")
    assert split.kind == "rerun"
    torch.testing.assert_close(split.head(split.trunk(inputs)), expected, rtol=1e-4, atol=1e-5)
    same(before, state(net))


@pytest.mark.parametrize("method", ["gradcam", "ablationcam", "saliency", "lime"])
@pytest.mark.parametrize(
    "case",
    ["norm.train()", "train(), then eval()", "a buffer in place", "a weight in place", "a weight within a norm"],
)
def test_a_map_is_the_same_each_time_and_whatever_is_beside_the_picture(method, case, pictures) -> None:
    net = Net(CHANGING[case][0]).eval()
    before = state(net)
    model = model_of(net)
    options = {"lime": {"num_samples": 20}} if method == "lime" else None

    def maps(images):
        return explain(model, images, methods=[method], target=0, options=options)

    alone = maps(open_images(pictures / "1.png"))[0]
    for other in (maps(open_images(pictures / "1.png"))[0], maps(open_images(pictures))[1]):
        assert other.target.logit == pytest.approx(alone.target.logit, rel=1e-4)
        np.testing.assert_allclose(other.values, alone.values, rtol=0, atol=1e-4 * np.abs(alone.values).max())
    same(before, state(net))


def test_gradients_are_those_of_the_statistics_with_which_the_scores_were_made() -> None:
    """The backward pass needs them again when the network has its own ones back."""
    net = Net(both_modes).eval()
    inputs = torch.randn(1, 3, *SIZE)

    def gradient(network):
        leaf = inputs.clone().requires_grad_()
        return torch.autograd.grad(network(leaf)[0, 0], leaf)[0]

    expected = gradient(copy.deepcopy(net))
    assert expected.abs().max() > 0
    torch.testing.assert_close(gradient(model_of(net).network), expected)


@pytest.mark.parametrize("rewrite", [lambda weight: weight.mul_(0.5), lambda weight: weight.data.mul_(0.5)])
def test_gradients_are_those_of_the_weights_that_were_used(rewrite) -> None:
    """Autograd itself refuses a weight that was rewritten after its use, or takes the later one unawares."""

    def after(net):
        with torch.no_grad():
            rewrite(net.maps[0].weight)

    net, plain = Net(lambda net, maps: net.norm(maps), after).eval(), Net(lambda net, maps: net.norm(maps)).eval()
    model, inputs = model_of(net), torch.randn(1, 3, *SIZE)
    gradients = []
    for network in (model.network, plain):
        leaf = inputs.clone().requires_grad_()
        with borrowed(network):
            gradients.append(torch.autograd.grad(network(leaf)[0, 0], leaf)[0])
    torch.testing.assert_close(*gradients)
    assert torch.equal(net.maps[0].weight, plain.maps[0].weight)


def test_a_mode_that_is_set_after_the_layers_ran_holds_for_no_later_run() -> None:
    net = Net(lambda net, maps: net.norm(maps), after=lambda net: net.norm.train()).eval()
    fresh, model = copy.deepcopy(net), model_of(net)
    inputs = model._example(2)
    with torch.no_grad():
        expected = fresh(inputs)
    torch.testing.assert_close(torch.cat([model.logits(inputs), model.logits(inputs)]), expected.repeat(2, 1))
    assert not model.alone


def test_state_of_the_network_itself_under_a_softmax() -> None:
    plain = Net(counted).eval()
    model = model_of(Net(counted, end=lambda z: z.softmax(1)))
    inputs = model._example(2)
    with torch.no_grad():
        expected = plain(inputs)
    for _ in range(2):
        torch.testing.assert_close(model.logits(inputs), expected, rtol=1e-4, atol=1e-6)
    assert model.activation == "softmax"
    assert model.module.calls == 0


@pytest.mark.parametrize("fails", [False, True])
def test_parameters_are_restored_bit_for_bit(fails) -> None:
    """Also where a number is not finite, a parameter has two names, or another one stands in its place."""
    net = Net(lambda net, maps: net.norm(maps))
    net.twice = net.fc.weight
    with torch.no_grad():
        net.fc.weight[0, 0], net.fc.bias[0] = float("nan"), -0.0
    before = {name: (value, value.data_ptr(), value.detach().clone()) for name, value in net.named_parameters()}
    rewritten = []
    try:
        with restored(net) as names:
            assert names() == []
            net.fc.weight.data = net.fc.weight.data.half()
            net.fc.bias.data[0] = 0.0
            net.norm.weight = nn.Parameter(torch.zeros(3))
            del net.norm.bias
            rewritten = names()
            if fails:
                raise KeyError
    except KeyError:
        assert fails
    assert rewritten == ["twice", "norm.weight", "norm.bias", "fc.weight", "fc.bias"]
    for name, value in net.named_parameters():
        same_object, place, numbers = before.pop(name)
        assert value is same_object
        assert value.data_ptr() == place
        assert torch.equal(value.view(torch.int32), numbers.view(torch.int32))
    assert before == {}


@pytest.mark.parametrize("filled", ["stored", "grid"])
def test_what_is_only_stored_is_no_change(filled) -> None:
    def how(net, maps):
        if filled == "stored":
            net.stored = maps.detach()
        elif net.grid is None:
            net.grid = torch.ones(maps.shape[2:])
        return net.norm(maps)

    model = model_of(Net(how))
    assert not any("changes its own state" in note for note in model.notes)
    assert model.split("maps.2").kind == "graph"


def test_numbers_that_are_nan_before_and_after_are_no_change():
    net = nn.BatchNorm2d(3).eval()
    net.running_mean.fill_(torch.nan)
    before = state_of(net)
    assert changed_by_running(net, before, lambda: net(torch.zeros(1, 3, 4, 4))) == []
    net.running_mean.fill_(0.0)
    assert changed_by_running(net, before, lambda: None) == ["running_mean"]
