"""A copy of a network that gives the same outputs in less time: batch norms folded, channels last in memory.

Folding needs no graph: one forward pass shows which batch norm was given the very tensor that a convolution made, and
whether the folded copy still gives the same logits is checked on real numbers.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import nn

from lumiscope.models.guard import copied, hooked
from lumiscope.models.outputs import logits_of
from lumiscope.models.wide_numbers import in_float64

TOLERANCE = 1e-4  # of the largest logit
FOLDABLE = (nn.Conv2d, nn.Linear)


class Folding:
    """Folded float32 copies of `module`, which itself is not touched; copies that would be equal are one.

    `example`: (B, 3, H, W) inputs to observe and to check with.
    """

    def __init__(self, module: nn.Module, example: torch.Tensor) -> None:
        self.example = example
        self._plain = copied(module).float().eval().requires_grad_(False)
        for value in (*self._plain.parameters(), *self._plain.buffers()):
            if value.ndim == 4:  # `Module.to` would refuse a network that has weights of five axes as well
                value.data = value.data.contiguous(memory_format=torch.channels_last)
        self._copies: dict[tuple[tuple[str, str], ...], nn.Module] = {}

    def copy(self, layer: str | None = None) -> nn.Module:
        """Return a copy for inference in which the output of `layer` is what it was.

        Where folding would change the logits (a convolution with a second reader, say) it is merely channels-last.
        """
        with torch.no_grad():
            pairs = tuple(_pairs(self._plain, self.example, layer))
            if pairs not in self._copies:
                self._copies[pairs] = self._folded(pairs)
        return self._copies[pairs]

    def _folded(self, pairs: tuple[tuple[str, str], ...]) -> nn.Module:
        if not pairs:
            return self._plain
        result = copied(self._plain)
        for before, norm in pairs:
            _fold(result, before, norm)
        expected, came = (logits_of(network(self.example)) for network in (self._plain, result))
        same = (came - expected).abs().max() <= TOLERANCE * expected.abs().max()
        return result if same else self._plain


def _pairs(network: nn.Module, example: torch.Tensor, layer: str | None) -> list[tuple[str, str]]:
    """Names of convolutions, each with the batch norm that one forward pass gave its output to."""
    calls: Counter[str] = Counter()
    outputs: dict[int, tuple[str, int]] = {}  # with the version, which an operation in place raises
    kept: list[torch.Tensor] = []  # a tensor that lives keeps its id to itself
    pairs: list[tuple[str, str]] = []
    shown: list[int] = []

    def note(name: str, part: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        calls[name] += 1
        if not isinstance(output, torch.Tensor) or output.is_inference():  # which keeps no version
            return
        if name == layer:
            kept.append(output)
            shown.append(id(output))
        if isinstance(part, FOLDABLE) and "weight" in part._parameters:  # not where it is made of others each time
            kept.append(output)
            outputs[id(output)] = name, output._version
        elif _is_norm(part) and isinstance(inputs[0], torch.Tensor):
            before, version = outputs.get(id(inputs[0]), ("", -1))
            if version == inputs[0]._version:
                pairs.append((before, name))

    handles = [
        part.register_forward_hook(lambda part, inputs, output, name=name: note(name, part, inputs, output))
        for name, part in network.named_modules()
        if name
    ]
    with hooked(*handles):
        network(example)
    hidden = {outputs[identity][0] for identity in shown if identity in outputs}
    times = Counter(name for pair in pairs for name in pair)
    return [pair for pair in pairs if pair[0] not in hidden and all(calls[name] == times[name] == 1 for name in pair)]


def _is_norm(part: nn.Module) -> bool:
    """Whether `part` normalises with fixed statistics: torch's batch norms, and timm's, which end in an activation."""
    plain = type(part) in (nn.BatchNorm1d, nn.BatchNorm2d)
    with_activation = isinstance(part, nn.BatchNorm2d) and hasattr(part, "drop") and hasattr(part, "act")
    return (plain or with_activation) and getattr(part, "running_mean", None) is not None


def _fold(network: nn.Module, before: str, norm: str) -> None:
    """Put what `norm` does into the weights of `before`; what it does beside that (timm: the activation) stays."""
    convolution: Any = network.get_submodule(before)
    batch_norm: Any = network.get_submodule(norm)
    mean, variance = in_float64(batch_norm.running_mean), in_float64(batch_norm.running_var)
    scale, shift = (variance + batch_norm.eps).rsqrt(), torch.zeros_like(mean)
    if batch_norm.weight is not None:
        scale = scale * in_float64(batch_norm.weight)
    if batch_norm.bias is not None:
        shift = in_float64(batch_norm.bias)
    weight = in_float64(convolution.weight)
    bias = 0 if convolution.bias is None else in_float64(convolution.bias)
    device = convolution.weight.device
    scaled = weight * scale.view(-1, *[1] * (weight.ndim - 1))
    layout = torch.channels_last if weight.ndim == 4 else torch.contiguous_format
    convolution.weight = nn.Parameter(
        scaled.to(device, torch.float32).contiguous(memory_format=layout), requires_grad=False
    )
    convolution.bias = nn.Parameter(((bias - mean) * scale + shift).to(device, torch.float32), requires_grad=False)
    rest = nn.Sequential()
    for name in ("drop", "act"):  # under their own names, by which they can be asked for as layers
        if hasattr(batch_norm, name):
            rest.add_module(name, getattr(batch_norm, name))
    parent, _, name = norm.rpartition(".")
    setattr(network.get_submodule(parent), name, rest.eval())
