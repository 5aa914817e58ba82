"""Whether what comes before the last layers of a network has the weights that somebody trained.

A trained classifier says nothing of what random layers give it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch

from lumiscope.models._untrained_head import last_layers, owner
from lumiscope.models.layers import Layer

MOST = 0.5
STATISTICS = ("running_mean", "running_var")  # of batch norms


def untrained_trunk(
    layers: Sequence[Layer], weights: Mapping[str, torch.Tensor], unloaded: Collection[str]
) -> list[str]:
    """The names of layers before the last ones of which a weight was not loaded, where these make the scores random.

    They do where nothing gets around one whose matrix, kernel or statistics were not loaded, and where most of these,
    or of the numbers in all weights, on the way to the scores were not.
    `layers`: in the order in which they finish. `weights`: of the network, by key.
    """
    names = {layer.name for layer in layers}
    last = last_layers(layers, weights)
    before = {layer.name: layer for layer in layers if layer.on_path and layer.name not in last}
    owners = {key: owner(key, names) for key, value in weights.items() if value.is_floating_point()}
    keys = [key for key, name in owners.items() if name in before]
    missing = [key for key in keys if key in unloaded]
    decisive = [key for key in keys if weights[key].ndim > 1 or key.endswith(STATISTICS)]
    random = [key for key in decisive if key in unloaded]
    passed_by_all = any(before[owners[key]].trunk for key in random)
    most = len(random) > MOST * len(decisive) or _numbers(weights, missing) > MOST * _numbers(weights, keys)
    untrained = {owners[key] for key in missing}
    return [name for name in before if name in untrained] if passed_by_all or most else []


def _numbers(weights: Mapping[str, torch.Tensor], keys: Sequence[str]) -> int:
    return sum(weights[key].numel() for key in keys)
