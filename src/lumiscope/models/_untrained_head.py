"""Whether the last layers of a network, which say the classes, have the weights that somebody trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch

from lumiscope.models.layers import Layer


def untrained_head(layers: Sequence[Layer], keys: Collection[str], unloaded: Collection[str]) -> list[str]:
    """The names of last layers of which a weight was not loaded.

    `layers`: in the order in which they finish. `keys`: of all weights. The last layers are those with weights of
    their own after the last output that holds a map, and the very last one in any case.
    """
    owners = _owners(layers, keys)
    weighted = list(dict.fromkeys(layer.name for layer in layers if layer.name in owners))
    of_maps = max((number for number, layer in enumerate(layers) if layer.has_map), default=-1)
    behind = {layer.name for layer in layers[of_maps + 1 :]}
    last = {*weighted[-1:], *(name for name in weighted if name in behind)}
    untrained = _owners(layers, unloaded)
    return [name for name in weighted if name in last and name in untrained]


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


def _owners(layers: Sequence[Layer], keys: Collection[str]) -> set[str]:
    """The innermost layer of each key."""
    names = {layer.name for layer in layers}
    owners = set()
    for key in keys:
        home = key.rpartition(".")[0]
        while home and home not in names:
            home = home.rpartition(".")[0]
        owners |= {home} - {""}
    return owners
