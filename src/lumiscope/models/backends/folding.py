"""A copy of a network that gives the same outputs in less time: batch norms folded, channels last in memory.

Folding needs no graph: one forward pass shows which batch norm was given the very tensor that a convolution made, and
whether the folded copy still gives the same logits is checked on real numbers.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import torch
from torch import nn

from lumiscope.models.guard import borrowed, hooked
from lumiscope.models.outputs import logits_of

TOLERANCE = 1e-4  # of the largest logit
FOLDABLE = (nn.Conv2d, nn.Linear)


def folded(module: nn.Module, example: torch.Tensor, layer: str | None = None) -> nn.Module:
    """Return a float32 copy of `module` for inference; `module` itself is not touched.

    `example`: (B, 3, H, W) inputs to observe and to check with. `layer`: its output stays what it was. Where folding
    would change the logits (a convolution with a second reader, say) the copy is merely channels-last.
    """
    network = copy.deepcopy(module).float().eval().requires_grad_(False).to(memory_format=torch.channels_last)
    with borrowed(module), torch.no_grad():
        pairs = _pairs(network, example, layer)
        if not pairs:
            return network
        plain = logits_of(network(example))
        result = copy.deepcopy(network)
        for before, norm in pairs:
            _fold(result, before, norm)
        difference = float((logits_of(result(example)) - plain).abs().max())
    return result if difference <= TOLERANCE * float(plain.abs().max()) else network


def _pairs(network: nn.Module, example: torch.Tensor, layer: str | None) -> list[tuple[str, str]]:
    """Names of convolutions, each with the batch norm that one forward pass gave its output to."""
    calls: Counter[str] = Counter()
    outputs: dict[int, str] = {}
    kept: list[torch.Tensor] = []  # a tensor that lives keeps its id to itself
    pairs: list[tuple[str, str]] = []
    shown: list[int] = []

    def note(name: str, part: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        calls[name] += 1
        if not isinstance(output, torch.Tensor):
            return
        if name == layer:
            kept.append(output)
            shown.append(id(output))
        if isinstance(part, FOLDABLE):
            kept.append(output)
            outputs[id(output)] = name
        elif _is_norm(part) and id(inputs[0]) in outputs:
            pairs.append((outputs[id(inputs[0])], name))

    handles = [
        part.register_forward_hook(lambda part, inputs, output, name=name: note(name, part, inputs, output))
        for name, part in network.named_modules()
        if name
    ]
    with hooked(*handles):
        network(example)
    hidden = {outputs[identity] for identity in shown if identity in outputs}
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
    mean, variance = batch_norm.running_mean.double(), batch_norm.running_var.double()
    scale, shift = (variance + batch_norm.eps).rsqrt(), torch.zeros_like(mean)
    if batch_norm.weight is not None:
        scale, shift = scale * batch_norm.weight.double(), batch_norm.bias.double()
    weight = convolution.weight.double()
    bias = 0 if convolution.bias is None else convolution.bias.double()
    scaled = weight * scale.view(-1, *[1] * (weight.ndim - 1))
    layout = torch.channels_last if weight.ndim == 4 else torch.contiguous_format
    convolution.weight = nn.Parameter(scaled.float().contiguous(memory_format=layout), requires_grad=False)
    convolution.bias = nn.Parameter(((bias - mean) * scale + shift).float(), requires_grad=False)
    rest = nn.Sequential(batch_norm.drop, batch_norm.act) if hasattr(batch_norm, "act") else nn.Identity()
    parent, _, name = norm.rpartition(".")
    setattr(network.get_submodule(parent), name, rest.eval())
