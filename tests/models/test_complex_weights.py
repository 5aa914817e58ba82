"""Complex numbers in a file are no real weights, whose half they would be; a complex network takes them."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from lumiscope.errors import WeightsError
from lumiscope.models.weights import fit_weights, read_checkpoint


def saved(folder, form, state):
    path = folder / "w.pt"
    if form == "safetensors":
        save_file(state, path)
    elif form == "numpy":
        torch.save({key: value.numpy() for key, value in state.items()}, path)
    else:
        torch.save({"model": state}, path)
    return path


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(("form", "key"), [("torch", "model.bias"), ("safetensors", "bias"), ("numpy", "bias")])
def test_complex_numbers_for_a_real_network_are_refused(tmp_path, form, key, partial):
    network = torch.nn.Linear(3, 2)
    before = network.weight.detach().clone()
    state = {"weight": torch.ones(2, 3), "bias": torch.tensor([1 + 2j, 3])}
    path = saved(tmp_path, form, state)
    with pytest.raises(WeightsError, match=rf"expected real numbers in .*w\.pt, .*; complex are {key}\. Save"):
        fit_weights(network, read_checkpoint(path), partial=partial)
    assert torch.equal(network.weight, before), "nothing was loaded"


@pytest.mark.parametrize("form", ["torch", "safetensors", "numpy"])
def test_a_complex_network_takes_them(tmp_path, form):
    network = torch.nn.Linear(3, 2, dtype=torch.complex64)
    state = {"weight": torch.full((2, 3), 1 + 2j), "bias": torch.tensor([1 + 2j, 3])}
    fit_weights(network, read_checkpoint(saved(tmp_path, form, state)), partial=False)
    assert torch.equal(network.weight, state["weight"])
    assert torch.equal(network.bias, state["bias"])
