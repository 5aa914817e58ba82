"""Features behind a ReLU that no part of the network stands for: a function that overwrites what a layer gave."""

from __future__ import annotations

from dataclasses import replace

import torch

from lumiscope.errors import LayerError
from lumiscope.models.deciding_run import run_counter
from lumiscope.models.guard import hooked
from lumiscope.models.outputs import first_tensor
from lumiscope.models.split import Cut, Split


def behind_function(module: torch.nn.Module, whole: Split, inputs: torch.Tensor) -> Split:
    """A cut of `module` whose activations are those behind a ReLU in place that is a function, where one follows.

    As in torchvision's DenseNet, no layer gives these features, and the layer's own are gone when the network goes on.
    The head is as it was, since a second ReLU changes nothing. Any other cut: as it is. `inputs`: (B, 3, H, W).
    """
    with torch.no_grad():
        if not _is_overwritten(module, whole, inputs):
            return whole
        cut = whole.trunk(inputs)
        expected, came = whole.head(cut), whole.head(_rectified(cut))
    if not torch.allclose(came, expected, rtol=1e-4, atol=1e-6):  # other parts read what the layer gave
        return whole
    return replace(whole, trunk=lambda given: _rectified(whole.trunk(given)))


def _rectified(cut: Cut) -> Cut:
    return replace(cut, activations=cut.activations.relu())


def _is_overwritten(module: torch.nn.Module, whole: Split, inputs: torch.Tensor) -> bool:
    """Whether a forward pass rectifies in place what the layer gave at the cut, and no part of the network does it."""
    layer, is_meant = whole.layer, run_counter(whole.run)
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []  # what the layer gave, and a copy of it as it was
    by_part = False

    def keep(_: torch.nn.Module, __: object, output: object) -> None:
        nonlocal by_part
        tensor = first_tensor(output)
        if is_meant() and tensor is not None:
            kept[:], by_part = [(tensor, tensor.clone())], False

    def compare(_: torch.nn.Module, __: object, output: object) -> None:
        nonlocal by_part
        if kept and output is kept[0][0] and not torch.equal(*kept[0]):
            by_part = True

    parts = [part for part in module.modules() if not isinstance(part, torch.jit.ScriptModule)]
    if isinstance(module.get_submodule(layer), torch.jit.ScriptModule):
        return False
    hooks = [module.get_submodule(layer).register_forward_hook(keep)]
    with hooked(*hooks, *(part.register_forward_hook(compare) for part in parts)):
        module(inputs)
    if not kept:
        raise LayerError(f"layer {layer} gives no tensor in a forward pass")
    after, before = kept[0]
    return not by_part and not torch.equal(after, before) and torch.equal(after, before.relu())
