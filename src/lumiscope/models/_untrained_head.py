"""Whether the last layers of a network, which say the classes, have the weights that somebody trained."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
