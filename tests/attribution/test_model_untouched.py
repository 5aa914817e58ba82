"""Whatever a method does, also when the network raises midway, the model is afterwards exactly what it was."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from lumiscope.attribution import METHODS

LOOK_AT_NOTHING = ("gaussian", "random")  # baselines, which never run the network
every_method = pytest.mark.parametrize("method", METHODS)
every_method_that_runs_it = pytest.mark.parametrize(
    "method", [method for method in METHODS if method not in LOOK_AT_NOTHING]
)


def state_of(module):
    return {
        "weights": {
            key: (id(value), value.detach().clone()) for key, value in module.state_dict(keep_vars=True).items()
        },
        "grad": {
            name: (id(value.grad), None if value.grad is None else value.grad.clone())
            for name, value in module.named_parameters()
        },
        "flags": [(name, id(part), part.training) for name, part in module.named_modules()],
        "trainable": [value.requires_grad for value in module.parameters()],
        "hooks": [
            (list(part._forward_hooks), list(part._forward_pre_hooks), list(part._backward_hooks))
            for part in module.modules()
        ],
    }


def assert_same(before, after):
    for what in ("weights", "grad"):
        for key, (identity, value) in before[what].items():
            assert after[what][key][0] == identity, key
            assert value is None or torch.equal(after[what][key][1], value), key
    for what in ("flags", "trainable", "hooks"):
        assert before[what] == after[what]


def used_model(networks, torch_model, kind):
    """A model in the middle of its owner's work: mixed flags, gradients from before, a hook of the owner's own."""
    module = networks.seeded(getattr(networks, kind))
    module.tail = networks.Raising()
    inner = module.features
    module.features = lambda inputs: module.tail(inner(inputs))
    model = torch_model(module, (32, 32))
    module(torch.randn(2, 3, 32, 32)).sum().backward()
    module.train()
    module.stem.eval()
    module.fc.weight.requires_grad_(False)
    module.stem.register_forward_hook(lambda *_: None)
    return model, module


@every_method_that_runs_it
@pytest.mark.parametrize(("kind", "layer"), [("Residual", "block.bn1"), ("DataDependent", "stem")])
@pytest.mark.parametrize("fails_after", [None, 0, 1, 2, 3, 4])
def test_the_model_is_what_it_was(networks, torch_model, prepare, cheap_options, method, kind, layer, fails_after):
    model, module = used_model(networks, torch_model, kind)
    before = state_of(module)
    if fails_after is not None:
        module.tail.armed, module.tail.calls_left = True, fails_after
    prepared = prepare(model, layer, count=2)
    fails = nullcontext() if fails_after is None else pytest.raises(RuntimeError, match="raised midway")
    with fails:
        maps = METHODS[method].explain(prepared, prepared.targets(1, [None, None]), cheap_options(method))
        assert len(maps) == 2
    assert_same(before, state_of(module))


@every_method_that_runs_it
def test_the_head_alone_raising_midway(networks, torch_model, prepare, cheap_options, method):
    model, module = used_model(networks, torch_model, "Residual")
    prepared = prepare(model, "block.bn1", count=2)
    targets = prepared.targets(1, [None, None])
    before = state_of(module)
    module.tail.armed = True
    with pytest.raises(RuntimeError, match="raised midway"):
        METHODS[method].explain(prepared, targets, cheap_options(method))
    assert_same(before, state_of(module))


@every_method
@pytest.mark.parametrize("way", ["no_grad", "frozen", "train"])
def test_the_surroundings_change_nothing(networks, torch_model, prepare, cheap_options, method, way):
    model = torch_model(networks.seeded(networks.Residual), (32, 32))

    def maps():
        prepared = prepare(model, "block.bn1")
        return METHODS[method].explain(
            prepared, prepared.targets("predicted", [None] * len(prepared)), cheap_options(method)
        )

    expected = maps()
    if way == "frozen":
        model.module.requires_grad_(False)
    if way == "train":
        model.module.train()
    with torch.set_grad_enabled(way != "no_grad"):
        came = maps()
        assert torch.is_grad_enabled() == (way != "no_grad")
    for ours, theirs in zip(came, expected, strict=True):
        np.testing.assert_array_equal(ours.values, theirs.values)
    assert any(saliency.values.any() for saliency in expected)
    assert all(parameter.requires_grad == (way != "frozen") for parameter in model.module.parameters())


@every_method
def test_the_global_generators_do_not_move(networks, torch_model, prepare, cheap_options, method):
    model = torch_model(networks.seeded(networks.plain), (32, 32))
    prepared = prepare(model, "3")
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002 - what must not move
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    targets = prepared.targets("predicted", [None] * 3)
    METHODS[method].explain(prepared, targets, cheap_options(method))
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
