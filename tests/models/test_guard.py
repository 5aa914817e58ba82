"""A borrowed model comes back exactly as it was."""

from __future__ import annotations

import pytest
import torch

from lumiscope.models.guard import borrowed, hooked, kept


def state_of(module):
    """Everything that must be the same afterwards; tensors by value and by identity."""
    return {
        "weights": {key: (id(value), value.clone()) for key, value in module.state_dict(keep_vars=True).items()},
        "grad": {name: (id(value.grad), value.grad) for name, value in module.named_parameters()},
        "trainable": {name: value.requires_grad for name, value in module.named_parameters()},
        "training": {name: part.training for name, part in module.named_modules()},
        "modules": {name: id(part) for name, part in module.named_modules()},
        "hooks": {
            name: (len(part._forward_hooks), len(part._forward_pre_hooks), len(part._backward_hooks))
            for name, part in module.named_modules()
        },
    }


def same(before, after):
    weights, changed = before.pop("weights"), after.pop("weights")
    assert weights.keys() == changed.keys()
    for key, (identity, value) in weights.items():
        assert changed[key][0] == identity
        assert torch.equal(changed[key][1], value), key
    assert before == after


@pytest.fixture
def module(networks):
    """Half trained: flags mixed, some parameters frozen, a gradient from before, a hook of the user's own."""
    module = networks.seeded(networks.Residual)
    module(torch.randn(2, 3, 32, 32)).sum().backward()
    module.train()
    module.block.bn1.eval()
    module.stem.weight.requires_grad_(False)
    module.block.relu.register_forward_hook(lambda *_: None)
    return module


def test_inside_it_is_frozen_and_in_evaluation_mode(module):
    with borrowed(module) as same_module:
        assert same_module is module
        assert not any(part.training for part in module.modules())
        assert not any(parameter.requires_grad for parameter in module.parameters())


def test_a_backward_pass_inside_writes_no_gradient(module):
    before = {name: parameter.grad.clone() for name, parameter in module.named_parameters()}
    inputs = torch.randn(2, 3, 32, 32, requires_grad=True)
    with borrowed(module):
        module(inputs).sum().backward()
    assert inputs.grad.abs().max() > 0
    assert all(torch.equal(parameter.grad, before[name]) for name, parameter in module.named_parameters())


@pytest.mark.parametrize("fails", [False, True])
def test_afterwards_everything_is_as_before(module, fails):
    before = state_of(module)
    try:
        with borrowed(module):
            module(torch.randn(2, 3, 32, 32))
            if fails:
                raise KeyError("inside")
    except KeyError:
        assert fails
    same(before, state_of(module))


def test_batch_statistics_do_not_move(module):
    before = module.block.bn2.running_mean.clone()
    with borrowed(module):
        module(5 + torch.randn(2, 3, 32, 32))
    assert torch.equal(module.block.bn2.running_mean, before)
    module(5 + torch.randn(2, 3, 32, 32))
    assert not torch.equal(module.block.bn2.running_mean, before)


def test_what_is_written_to_buffers_inside_is_gone_afterwards(module):
    module.register_buffer("shared", module.block.bn1.running_mean)
    before = state_of(module)
    with borrowed(module):
        module.block.bn2.train()
        module(5 + torch.randn(2, 3, 32, 32))
        module.block.bn1.running_mean.fill_(7)
        assert torch.equal(module.shared, torch.full_like(module.shared, 7))
        module.block.bn2.running_var = torch.zeros(1)
        assert not torch.equal(module.block.bn2.running_mean, before["weights"]["block.bn2.running_mean"][1])
    same(before, state_of(module))


def test_what_is_kept_has_its_numbers_and_tensors_again(module):
    module.calls, module.seen = 0, torch.zeros(2)
    seen, before = module.seen, state_of(module)
    with kept(module):
        module.calls += 1
        module.seen += 1
        module.block.seen = None
        module.train(not module.training)
        assert torch.equal(module.seen, torch.ones(2))
    assert module.calls == 0
    assert module.seen is seen
    assert torch.equal(seen, torch.zeros(2))
    same(before, state_of(module))


def test_it_can_be_borrowed_twice_at_once(module):
    before = state_of(module)
    with borrowed(module):
        with borrowed(module):
            pass
        assert not any(parameter.requires_grad for parameter in module.parameters())
        assert not module.block.training
    same(before, state_of(module))


def test_a_shared_parameter_is_restored_once():
    first = torch.nn.Linear(3, 3)
    second = torch.nn.Linear(3, 3)
    second.weight = first.weight
    module = torch.nn.Sequential(first, second)
    with borrowed(module):
        assert not first.weight.requires_grad
    assert first.weight.requires_grad
    assert second.bias.requires_grad


@pytest.mark.parametrize("fails", [False, True])
def test_hooks_go_with_their_context(module, fails):
    calls = []
    handles = [part.register_forward_hook(lambda *_: calls.append(1)) for part in (module.stem, module.act)]
    try:
        with hooked(*handles), torch.no_grad():
            module(torch.randn(2, 3, 32, 32))
            if fails:
                raise KeyError("inside")
    except KeyError:
        assert fails
    module(torch.randn(2, 3, 32, 32))
    assert len(calls) == 2
    assert not module.stem._forward_hooks
    assert len(module.block.relu._forward_hooks) == 1
