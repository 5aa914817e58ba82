"""Whether the last layers of a network, which say the classes, have the weights that somebody trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch

from lumiscope.models.layers import Layer


def untrained_head(layers: Sequence[Layer], keys: Collection[str], unloaded: Collection[str]) -> list[str]:
    """The names of last layers of which a weight was not loaded.

    `layers`: in the order in which they finish. `keys`: of all weights.
    """
    names = {layer.name for layer in layers}
    untrained = {owner(key, names) for key in unloaded}
    return [name for name in last_layers(layers, keys) if name in untrained]


def last_layers(layers: Sequence[Layer], keys: Collection[str]) -> list[str]:
    """The names of the layers with weights of their own after the last output that holds a map, and the very last."""
    names = {layer.name for layer in layers}
    owners = {owner(key, names) for key in keys}
    weighted = list(dict.fromkeys(layer.name for layer in layers if layer.name in owners))
    of_maps = max((number for number, layer in enumerate(layers) if layer.has_map), default=-1)
    behind = {layer.name for layer in layers[of_maps + 1 :]}
    last = {*weighted[-1:], *(name for name in weighted if name in behind)}
    return [name for name in weighted if name in last]


def untrained_matrices(
    layers: Sequence[Layer],
    parameters: Mapping[str, torch.nn.Parameter],
    unloaded: Collection[str],
    logits: torch.Tensor,
) -> list[str]:
    """Of the weights that were not loaded those that make scores in no layer, such as `F.linear(x, self.head.weight)`.

    `logits`: (B, classes), with their gradients. A weight counts that has a row for every class, and that they depend
    on, where no part that ran is its owner.
    """
    ran = {layer.name for layer in layers}
    loose = {
        key: parameters[key]
        for key in unloaded
        if key in parameters and key.rpartition(".")[0] not in ran and logits.shape[1] in parameters[key].shape
    }
    if not loose or not logits.requires_grad:
        return []
    gradients = torch.autograd.grad(logits.sum(), list(loose.values()), allow_unused=True)
    return [key for key, gradient in zip(loose, gradients, strict=True) if gradient is not None]


def owner(key: str, names: Collection[str]) -> str:
    """Of the layers called `names` the innermost that a weight is of; "" where it is of none."""
    home = key.rpartition(".")[0]
    while home and home not in names:
        home = home.rpartition(".")[0]
    return home
