"""What the CAM family says where a map cannot be made, means nothing, or was asked for in the wrong way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.attribution.cam import LayerMaps, cam_maps
from lumiscope.errors import LayerError, ModelError, TargetError, UnknownNameError, UsageError

SIZE = (40, 56)
FAMILY = [name for name, method in METHODS.items() if method.needs_layer]
GRADIENTS = [name for name in FAMILY if METHODS[name].needs_gradients]
every_method = pytest.mark.parametrize("method", FAMILY)


def explain(method, prepared, wanted="predicted", **options):
    chosen = METHODS[method]
    targets = prepared.targets(wanted, [None] * len(prepared))
    return chosen.explain(prepared, targets, chosen.options(options))


def dead(networks, channels):
    """`plain` with some channels of its last ReLU at 0 everywhere."""
    module = networks.seeded(networks.plain)
    with torch.no_grad():
        module[2].weight[channels] = 0
        module[2].bias[channels] = -1
    return module


@every_method
def test_channels_of_zeros_change_nothing_but_the_softmax(reference, networks, torch_model, prepare, method):
    model = torch_model(dead(networks, [0, 3, 7]), SIZE)
    prepared = prepare(model, "3", count=1)
    (saliency,) = explain(method, prepared)
    values, _ = reference.REFERENCES[method](
        model.module.double(), prepared.inputs.values[0].double(), "3", saliency.target.index
    )
    np.testing.assert_allclose(saliency.values, values, atol=1e-4 * values.max())


@every_method
def test_a_layer_of_zeros_gives_a_map_of_zeros_that_says_why(networks, torch_model, prepare, method):
    model = torch_model(dead(networks, list(range(8))), SIZE)
    for saliency in explain(method, prepare(model, "3"), 1):
        assert not saliency.values.any()
        assert not saliency.display().any()
        assert saliency.details["blank"] == "no position of the layer speaks for the class"
        assert "undefined" not in saliency.details


@every_method
@pytest.mark.parametrize("sign", [1, -1])
def test_activations_that_are_constant_over_the_image(networks, torch_model, prepare, method, sign):
    """Every position counts the same, or none: nothing to display. Score-CAM's softmax is uniform."""
    module = networks.seeded(networks.plain)
    with torch.no_grad():
        module[2].weight.zero_()
        module[2].bias.copy_(torch.arange(1.0, 9))
        module[6].weight.abs_().mul_(sign)
    model = torch_model(module, SIZE)
    for saliency in explain(method, prepare(model, "3"), 1):
        assert not saliency.display().any()
        assert np.ptp(saliency.values) < 1e-6
        if method == "scorecam":
            np.testing.assert_allclose(saliency.values, 4.5, rtol=1e-6)  # the mean of 1 to 8
        if method in ("eigencam", "eigengradcam"):
            assert not saliency.values.any()
        expected = "every position of the layer counts the same" if saliency.values.any() else "no position"
        assert saliency.details["blank"].startswith(expected)


def test_a_map_of_one_position_has_nothing_to_show(networks, torch_model, prepare):
    prepared = prepare(torch_model(networks.seeded(networks.plain), SIZE), "3", count=1)
    maps, options = LayerMaps(torch.full((1, 1, 1), 3.0)), METHODS["gradcam"].options()
    (saliency,) = cam_maps(prepared.views, prepared.targets(1, [None]), {"0": maps}, "gradcam", options)
    np.testing.assert_allclose(saliency.values, np.full(SIZE, 3), rtol=1e-6)
    assert not saliency.display().any()
    assert saliency.details == {"blank": "every position of the layer counts the same"}


def shifted(networks, index, score):
    """`plain` where the logit of class `index` is `score` plus what its features weigh; None: 0, whatever they are."""
    module = networks.seeded(networks.plain)
    with torch.no_grad():
        module[6].bias[index] = score or 0
        if score is None:
            module[6].weight[index] = 0
    return module


@pytest.mark.parametrize("layer", ["3", "1"])  # with the closed form, and without
def test_a_constant_added_to_a_logit_only_divides_ablationcam_by_another_number(networks, torch_model, prepare, layer):
    """S - S_k is free of the constant c, so that values times |S + c| are the same for every c."""
    maps = []
    for constant in (10.0, -10.0, 0.3, -100.0):
        prepared = prepare(torch_model(shifted(networks, 2, constant), SIZE), layer)
        maps.append([saliency.values * abs(saliency.target.logit) for saliency in explain("ablationcam", prepared, 2)])
    assert max(drops.max() for drops in maps[0]) > 0
    for drops in maps[1:]:
        np.testing.assert_allclose(drops, maps[0], rtol=1e-3, atol=1e-4 * np.max(maps[0]))


def test_ablationcam_of_a_score_of_zero_shows_the_bare_drops(networks, torch_model, prepare):
    for layer in ("3", "1"):
        free = prepare(torch_model(shifted(networks, 2, 0.0), SIZE), layer, count=1)
        (expected,) = explain("ablationcam", free, 2)
        zero = shifted(networks, 2, -expected.target.logit)
        (saliency,) = explain("ablationcam", prepare(torch_model(zero, SIZE), layer, count=1), 2)
        divisor = abs(saliency.target.logit) or 1  # rounding may leave 1e-8 of it
        drops = expected.values * abs(expected.target.logit)
        np.testing.assert_allclose(saliency.values * divisor, drops, rtol=1e-3, atol=1e-4 * drops.max())
        assert saliency.details == {}


def test_a_score_that_is_exactly_zero_leaves_the_drops_undivided(networks, torch_model, prepare):
    """Two channels a, b with the score a - b of the same channel: 0, and the drops are mean a and - mean b."""

    class Balanced(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.Conv2d(3, 2, 8, stride=8)
            self.fc = nn.Linear(2, 2, bias=False)

        def forward(self, inputs):
            return self.fc(self.maps(inputs).mean((2, 3)))

    module = networks.seeded(Balanced)
    with torch.no_grad():
        module.maps.weight[1], module.maps.bias[1] = module.maps.weight[0], module.maps.bias[0]
        module.fc.weight.copy_(torch.tensor([[1.0, -1.0], [1.0, 1.0]]))
    prepared = prepare(torch_model(module, SIZE), "maps", count=1)
    (saliency,) = explain("ablationcam", prepared, 0)
    mean = prepared.at("maps").maps[0, 0].mean()
    assert saliency.target.logit == 0
    assert not saliency.values.any()  # mean · A - mean · A
    assert saliency.details["blank"] == "no position of the layer speaks for the class"
    (undefined,) = explain("ablationcam", prepared, 0, denominator="score")
    assert np.isnan(undefined.values).all()
    assert mean != 0


def test_ablationcam_as_in_grad_cam_is_undefined_at_a_score_of_zero_and_says_so(networks, torch_model, prepare):
    module = shifted(networks, 2, None)
    for layer in ("3", "1"):
        prepared = prepare(torch_model(module, SIZE), layer)
        for saliency in explain("ablationcam", prepared, 2, denominator="score"):
            assert saliency.target.logit == 0
            assert np.isnan(saliency.values).all()
            assert np.isnan(saliency.display()).all()
            assert saliency.details == {"undefined": "the target's score is 0"}
        for saliency in explain("ablationcam", prepared, 1, denominator="score"):
            assert np.isfinite(saliency.values).all()
            assert saliency.details == {}


def test_of_several_layers_one_undefined_map_is_enough(networks, torch_model, prepare):
    prepared = prepare(torch_model(shifted(networks, 2, None), SIZE), ["1", "3"])
    (saliency, *_) = explain("ablationcam", prepared, 2, denominator="score")
    assert np.isnan(saliency.values).all()
    assert saliency.details == {"undefined": "the target's score is 0"}


class Steep(nn.Module):
    """A square root, whose slope at 0 is infinite."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8, stride=8)
        self.maps = nn.ReLU()
        self.fc = nn.Linear(4, 3)

    def forward(self, inputs):
        return self.fc(self.maps(self.conv(inputs)).mean((2, 3)).sqrt())


@pytest.mark.parametrize("method", GRADIENTS)
def test_a_gradient_that_is_not_finite_makes_the_map_nan_and_says_so(networks, torch_model, prepare, method):
    module = networks.seeded(Steep)
    with torch.no_grad():
        module.conv.weight[1] = 0
        module.conv.bias[1] = -1  # 0 everywhere after the ReLU
        module.fc.weight.abs_()
    for saliency in explain(method, prepare(torch_model(module, SIZE), "maps"), 1):
        assert np.isnan(saliency.values).all()
        assert saliency.details["undefined"] == "the network's numbers at this layer are not finite"


def test_an_ablated_network_that_gives_nan_is_not_called_a_score_of_zero(networks, torch_model, prepare):
    class Divides(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.Conv2d(3, 4, 8, stride=8)
            self.fc = nn.Linear(4, 3)

        def forward(self, inputs):
            maps = self.maps(inputs)
            return self.fc((maps / maps.norm(dim=(2, 3), keepdim=True)).mean((2, 3)))

    for saliency in explain("ablationcam", prepare(torch_model(networks.seeded(Divides), SIZE), "maps"), 1):
        assert np.isnan(saliency.values).all()
        assert saliency.details == {"undefined": "the network's numbers at this layer are not finite"}


@every_method
def test_logits_that_are_nan_cannot_be_explained(networks, torch_model, prepare, method):
    """A network that is well for noise and not for a picture."""

    class Picky(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = networks.plain()

        def forward(self, inputs):
            return self.net(inputs) + torch.where(inputs.std((2, 3)).amax(1, keepdim=True) < 0.01, torch.nan, 0)

    model = torch_model(Picky(), SIZE)
    grey = model.geometry.view(np.full((*SIZE, 3), 128, np.uint8), "grey")
    prepared = PreparedBatch(model, [prepare(model).views[0], grey], layer="net.3")
    with pytest.raises(TargetError, match="gives NaN or infinity for grey"):
        explain(method, prepared)


@pytest.mark.parametrize("method", GRADIENTS)
def test_a_head_that_stops_gradients_is_an_error_that_names_other_methods(networks, torch_model, prepare, method):
    class Stops(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.Conv2d(3, 4, 8, stride=8)
            self.fc = nn.Linear(4, 3)

        def forward(self, inputs):
            return self.fc(self.maps(inputs).relu().mean((2, 3)).detach())

    prepared = prepare(torch_model(networks.seeded(Stops), SIZE), "maps")
    with pytest.raises(ModelError, match=r"gradient to layer maps; model stops it .*: ablationcam, scorecam"):
        explain(method, prepared)
    assert explain("ablationcam", prepared)[0].values.any()


@every_method
def test_a_layer_without_maps_is_an_error_in_words(networks, torch_model, prepare, method):
    with pytest.raises(LayerError, match=r"expected a layer .*6 gives"):
        explain(method, prepare(torch_model(networks.seeded(networks.plain)), "6"))


@every_method
def test_a_layer_that_does_not_exist_names_the_nearest(networks, torch_model, prepare, method):
    with pytest.raises(UnknownNameError, match=r"unknown layer 'block.con1': did you mean block.conv1"):
        explain(method, prepare(torch_model(networks.seeded(networks.Residual)), "block.con1"))


@every_method
def test_a_batch_without_a_layer_is_an_error_in_words(networks, torch_model, prepare, method):
    with pytest.raises(ModelError, match=f"where {METHODS[method].title.replace('+', '.')} looks; .* without one"):
        explain(method, prepare(torch_model(networks.seeded(networks.plain))))


@every_method
def test_a_black_box_is_an_error_in_words(networks, torch_model, prepare, black_box, method):
    prepared = prepare(black_box(torch_model(networks.seeded(networks.plain))))
    with pytest.raises(ModelError, match="box can only predict"):
        explain(method, prepared)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("count", [0, 1, 4])
def test_targets_that_are_not_one_an_image_are_an_error(networks, torch_model, prepare, method, count):
    prepared = prepare(torch_model(networks.seeded(networks.plain)), "3")
    targets = (prepared.targets(1, [None] * 3) * 2)[:count]
    with pytest.raises(UsageError, match=f"one target an image, 3 in all; got {count}"):
        METHODS[method].explain(prepared, targets, METHODS[method].options())
