"""Contributions of units: complete, equal to the slow reference, to the closed form and to captum's."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from lumiscope.attribution import contributions as module_under_test
from lumiscope.attribution.contributions import UnitContributions, unit_contributions
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.errors import LayerError


def rest_of(network, layer, put):
    """The whole network as a function of one layer's output, by a hook that replaces it: (N, …) -> (N, classes)."""

    def head(image, output):
        handle = network.get_submodule(layer).register_forward_hook(lambda _, __, old: put(old, output))
        try:
            return network(image.expand(len(output), -1, -1, -1))
        finally:
            handle.remove()

    return head


def slow_contributions(network, image, layer, target, part, steps=400):
    """Midpoint rule in float64, by hooks on the whole network. `part`: where the units are in the layer's output."""
    seen = []
    handle = network.get_submodule(layer).register_forward_hook(lambda _, __, output: seen.append(output.detach()))
    network(image)
    handle.remove()
    activations = seen[-1]
    head = rest_of(network, layer, lambda _, new: new)
    places = (torch.arange(steps, dtype=torch.float64) + 0.5) / steps
    nodes, weights = places**4, 4 * places**3 / steps  # dense near 0, where a layer norm makes scores steep
    scaled = activations.repeat(steps, *[1] * (activations.ndim - 1))
    scaled[part] *= nodes.view(-1, *[1] * (activations.ndim - 1))
    scaled.requires_grad_()
    (gradient,) = torch.autograd.grad(head(image, scaled)[:, target].sum(), scaled)
    return (activations * torch.einsum("n,n...->...", weights, gradient)[None])[part]


ALL = (slice(None),)
PATCHES, CLASS = (slice(None), slice(1, None)), (slice(None), slice(0, 1))
CASES = [
    ("resnet", "layer3", False, ALL, (2, 3)),
    ("vit, class token", "blocks.1.norm1", False, PATCHES, (1,)),
    ("vit, class token", "blocks.1", True, CLASS, (1,)),
    ("swin", "layers.1.blocks.0", False, ALL, (1, 2)),
]


@pytest.mark.parametrize(("kind", "layer", "class_token", "part", "positions"), CASES)
def test_equal_the_slow_reference_and_complete(model_of, prepare, kind, layer, class_token, part, positions):
    model = model_of(kind)
    prepared = prepare(model, layer, count=2)
    targets = prepared.targets("predicted", [None, None])
    result = unit_contributions(prepared.at(layer), targets, class_token=class_token, tolerance=1e-3)
    assert result.layer == layer + ("@class" if class_token else "")
    assert (result.completeness_error <= 1e-3).all()
    double = copy.deepcopy(model.module).double()
    for row, image in enumerate(prepared.inputs.values.double()):
        slow = slow_contributions(double, image[None], layer, targets[row].index, part).sum(positions)[0].numpy()
        np.testing.assert_allclose(result.contributions[row], slow, atol=5e-3 * np.abs(slow).max())
        assert result.scores[row] == pytest.approx(
            double(image[None])[0, targets[row].index].item(), rel=1e-3, abs=1e-4
        )


def test_of_a_linear_head_they_are_weight_times_mean(networks, torch_model, prepare):
    module = networks.seeded(networks.plain)
    prepared = prepare(torch_model(module), "3")
    targets = prepared.targets(1, [None] * 3)
    result = unit_contributions(prepared.at("3"), targets)
    expected = (prepared.at("3").maps.mean((2, 3)) * module[-1].weight[1]).detach().numpy()
    np.testing.assert_allclose(result.contributions, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(result.baselines, module[-1].bias[1].item(), rtol=1e-5)
    assert (result.completeness_error < 1e-5).all()
    assert not result.steps.any()


def test_the_closed_form_is_what_integration_gives(networks, torch_model, prepare, monkeypatch):
    prepared = prepare(torch_model(networks.seeded(networks.plain)), "3")
    targets = prepared.targets(1, [None] * 3)
    exact = unit_contributions(prepared.at("3"), targets)
    monkeypatch.setattr(PreparedLayer, "linear_head", None)
    result = unit_contributions(prepare(prepared.model, "3").at("3"), targets)
    assert (result.steps == module_under_test.NODES).all()
    np.testing.assert_allclose(result.contributions, exact.contributions, rtol=1e-4, atol=1e-6)


def test_captums_layer_integrated_gradients_and_conductance(networks, torch_model, prepare):
    """Without biases zero pixels give zero activations, and activations grow in proportion: there all three are one."""
    captum = pytest.importorskip("captum.attr")
    module = networks.seeded(networks.plain)
    for part in (module[0], module[2]):
        part.bias.data.zero_()
    prepared = prepare(torch_model(module), "1", count=1)
    result = unit_contributions(prepared.at("1"), prepared.targets(2, [None]), tolerance=1e-5)
    for peer in (captum.LayerIntegratedGradients, captum.LayerConductance):
        zeros = torch.zeros_like(prepared.inputs.values)
        theirs = peer(module, module[1]).attribute(prepared.inputs.values, zeros, target=2, n_steps=200)
        theirs = theirs.sum((2, 3))[0].detach().numpy()
        np.testing.assert_allclose(result.contributions[0], theirs, atol=2e-3 * np.abs(theirs).max())


def test_captums_integrated_gradients_of_the_head(model_of, prepare):
    captum = pytest.importorskip("captum.attr")
    prepared = prepare(model_of("resnet"), "layer3", count=1)
    layer = prepared.at("layer3")
    result = unit_contributions(layer, prepared.targets(2, [None]), tolerance=1e-4, most_steps=2000)
    cut, head = layer.cut, layer.predictor.session.split("layer3").head
    peer = captum.IntegratedGradients(lambda output: head(cut.with_activations(output)))
    theirs = peer.attribute(cut.activations, target=2, n_steps=500).sum((2, 3))[0].detach().numpy()
    np.testing.assert_allclose(result.contributions[0], theirs, atol=5e-3 * np.abs(theirs).max())


def test_few_steps_are_said_to_be_incomplete(model_of, prepare):
    prepared = prepare(model_of("swin"), "layers.1.blocks.0", count=1)
    layer = prepared.at("layers.1.blocks.0")
    result = unit_contributions(layer, prepared.targets(2, [None]), tolerance=1e-6, most_steps=8)
    missed = abs(result.contributions.sum() - (result.scores[0] - result.baselines[0]))
    assert result.steps[0] == 8
    assert result.completeness_error[0] == pytest.approx(missed / abs(result.scores[0] - result.baselines[0]))
    assert result.completeness_error[0] > 1e-3


def test_units_that_the_score_does_not_depend_on(model_of, prepare):
    """The patches of a ViT's last block: only the class token is read after it."""
    prepared = prepare(model_of("vit, class token"), "blocks.1", count=2)
    result = unit_contributions(prepared.at("blocks.1"), prepared.targets(0, [None, None]))
    assert np.isnan(result.completeness_error).all()
    assert np.isnan(result.shares).all()
    assert not result.contributions.any()


def test_shares_and_error_by_hand():
    contributions, nothing = np.array([[3.0, -1.0], [1.0, 1.0]]), np.zeros((2, 2))
    scores, baselines = np.array([3.0, 1.0]), np.array([0.5, 1.0])
    result = UnitContributions("layer", contributions, nothing, nothing, scores, baselines, np.array([8, 8]))
    np.testing.assert_allclose(result.shares[0], [1.2, -0.4])
    assert result.completeness_error[0] == pytest.approx(0.2)
    assert np.isnan(result.shares[1]).all()
    assert np.isnan(result.completeness_error[1])


@pytest.mark.parametrize("baseline", [1.0, -3.0, 100.0])
def test_a_difference_within_rounding_of_the_scores_is_none(baseline):
    """A hundred-thousandth of the scores is what float32 leaves of their difference."""
    scores = baseline * (1 + np.array([0.0, 0.9e-5, -0.9e-5, 1.1e-5, -1.1e-5]))
    nothing = np.zeros((5, 1))
    result = UnitContributions(
        "layer", np.ones((5, 1)), nothing, nothing, scores, np.full(5, baseline), np.zeros(5, np.int64)
    )
    assert np.isnan(result.differences).tolist() == [True, True, True, False, False]
    np.testing.assert_allclose(result.differences[3:], baseline * np.array([1.1e-5, -1.1e-5]), rtol=1e-9)


def test_a_layer_without_units(model_of, prepare):
    prepared = prepare(model_of("swin"), count=1)
    with pytest.raises(LayerError, match="windows"):
        unit_contributions(prepared.at("layers.0.blocks.0.attn.qkv"), prepared.targets(0, [None]))


@pytest.mark.parametrize(("kind", "layer", "class_token", "part", "positions"), CASES)
def test_each_unit_is_said_to_be_off_by_as_much_as_it_is(model_of, prepare, kind, layer, class_token, part, positions):
    """The error is that of the integration: against 400 nodes, no unit is off by much more than the largest says."""
    model = model_of(kind)
    prepared = prepare(model, layer, count=1)
    targets = prepared.targets("predicted", [None])
    result = unit_contributions(prepared.at(layer), targets, class_token=class_token)
    double = copy.deepcopy(model.module).double()
    image = prepared.inputs.values.double()[:1]
    slow = slow_contributions(double, image, layer, targets[0].index, part).sum(positions)[0].numpy()
    off = np.abs(result.contributions[0] - slow)
    assert off.max() <= 2 * result.errors[0].max() + 1e-3 * np.abs(slow).max()
    assert result.errors[0].max() <= 2 * off.max() + 1e-3 * np.abs(slow).max()


@pytest.mark.parametrize(("kind", "layer", "class_token", "part", "positions"), CASES)
def test_a_unit_is_removed_by_setting_it_to_zero(model_of, prepare, kind, layer, class_token, part, positions):
    model = model_of(kind)
    prepared = prepare(model, layer, count=1)
    targets = prepared.targets("predicted", [None])
    result = unit_contributions(prepared.at(layer), targets, class_token=class_token, removed=3)
    largest = np.argsort(-np.abs(result.contributions[0]), kind="stable")[:3]
    assert np.flatnonzero(np.isfinite(result.removals[0])).tolist() == sorted(largest)
    image = prepared.inputs.values[:1]
    channel = 1 if positions == (2, 3) else -1

    def silence(unit):
        def put(_, __, output):
            changed = output.clone()
            changed[part].select(channel, unit).zero_()
            return changed

        return put

    network = model.module
    with torch.no_grad():
        whole = network(image)[0, targets[0].index].item()
        for unit in largest:
            handle = network.get_submodule(layer).register_forward_hook(silence(int(unit)))
            without = network(image)[0, targets[0].index].item()
            handle.remove()
            assert result.removals[0, unit] == pytest.approx(whole - without, rel=1e-3, abs=1e-5)


def test_of_a_linear_head_removal_is_the_contribution_and_nothing_is_off(networks, torch_model, prepare):
    prepared = prepare(torch_model(networks.seeded(networks.plain)), "3")
    result = unit_contributions(prepared.at("3"), prepared.targets(1, [None] * 3), removed=100)
    np.testing.assert_allclose(result.removals, result.contributions, rtol=1e-4, atol=1e-6)
    assert not result.errors.any()
