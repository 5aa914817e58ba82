"""Blocks and stages: runs of blocks with one width and resolution, as `layer4` of a ResNet; and layers by address."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models._trunk import grid, trunk_of, whole
from lumiscope.models.layers import Layer
from lumiscope.unit_address import CLASS_TOKEN

AUTO = re.compile(r"auto(?::(\d+))?")


def stages(layers: Sequence[Layer]) -> list[Layer]:
    """The last features of every stage: a run of whole blocks of the trunk with one width and resolution.

    A stage is named after the outermost part that holds this run and nothing else, as `layer4` for `layer4.0`,
    `layer4.1` and `layer4.2`. Neither names nor weights count; see `trunk_of`.
    """
    return trunk_of(layers).stages(layers)


def stage_notes(layers: Sequence[Layer]) -> tuple[str, ...]:
    """What is to be said of the choice of stages and of the target layer: that the last blocks have no maps."""
    trunk = trunk_of(layers)
    last = trunk.stages(layers)[-1:]
    if not trunk.flat or not last:
        return ()
    return (
        f"its last blocks, up to {trunk.flat[-1].name}, have a single position at this input size; the last maps are "
        f"those of {last[0].name}, {'×'.join(map(str, grid(last[0])))}. A larger --input-size gives the blocks maps.",
    )


def equal_blocks(layers: Sequence[Layer]) -> list[Layer]:
    """The blocks of a network that is one stage of many equal ones, as a ViT; none for other networks.

    A network is such a stage if all its blocks have one resolution, and more of them stand in one container,
    with one width, than it has stages.
    """
    trunk = trunk_of(layers)
    if len({grid(block) for block in trunk.blocks}) != 1:
        return []
    groups: dict[object, list[Layer]] = {}
    for block in trunk.blocks:
        named = whole(block, [other for other in trunk.blocks if other is not block], layers)
        groups.setdefault((named.name.rpartition(".")[0], named.units), []).append(named)
    longest = max(groups.values(), key=len)
    return longest if len(longest) > len(trunk.stages(layers)) else []


def select_layers(wanted: Sequence[str], layers: Sequence[Layer], target: Callable[[], str]) -> list[str]:
    """Turn names, wildcards, `auto` (what `target` gives) and `auto:5` into addresses of layers.

    `auto:5`: the last five stages; of a network that is one stage of equal blocks, five blocks evenly spaced that end
    with the last. A wildcard stands for the layers with units that it fits; only with "@class" at its end for class
    tokens, as in `blocks.*@class`. Each once, in the order asked for.
    Errors: `UnknownNameError` with the nearest names; `LayerError` where `auto` or `auto:N` finds none, or a layer has
    no class token.
    """
    names: dict[str, None] = {}
    for text in wanted:
        auto = AUTO.fullmatch(text)
        if auto:
            count = int(auto.group(1) or 0)
            names.update(dict.fromkeys(_spread(layers, count) if count else [target()]))
        elif text.endswith(CLASS_TOKEN):
            names.update(dict.fromkeys(_class_tokens(text.removesuffix(CLASS_TOKEN), layers)))
        else:
            names.update(dict.fromkeys(layer.name for layer in _matching(text, layers)))
    return list(names)


def is_automatic(text: str) -> bool:
    """Whether `text` asks for an automatic choice: `auto` or `auto:N`."""
    return AUTO.fullmatch(text) is not None


def check_layer_names(wanted: Sequence[str], parts: Sequence[str]) -> None:
    """Look up what `select_layers` is asked for among the names of a network's parts, which need no forward pass.

    Errors: `UnknownNameError` with the nearest names.
    """
    for text in wanted:
        name = text.removesuffix(CLASS_TOKEN)
        if not is_automatic(text) and name not in parts and not fnmatch.filter(parts, name):
            raise UnknownNameError("layer", name, parts, hint="`lumiscope layers MODEL` lists them.")


def _matching(text: str, layers: Sequence[Layer]) -> list[Layer]:
    """The layer called `text`, or those that it fits as a wildcard and that have units."""
    exact = [layer for layer in layers if layer.name == text]
    fitting = exact or [layer for layer in layers if fnmatch.fnmatchcase(layer.name, text)]
    if not fitting:
        known = [layer.name for layer in layers]
        raise UnknownNameError("layer", text, known, hint="`lumiscope layers MODEL` lists them.")
    useful = exact or [layer for layer in fitting if layer.has_units]
    if not useful:
        raise LayerError(
            f"expected layers with one row of units an image for {text}; all that it fits give windows or attention "
            f"heads, as {fitting[0].name}, of shape {fitting[0].shape}. Name the block around them."
        )
    return useful


def _class_tokens(text: str, layers: Sequence[Layer]) -> list[str]:
    matching = _matching(text, layers)
    addresses = [layer.class_address for layer in matching if layer.class_address]
    if not addresses:
        gives = f"{matching[0].name} gives shape {matching[0].shape}"
        raise LayerError(
            f"expected layers of tokens with a class token for {text}{CLASS_TOKEN}; {gives} and has none. "
            "`lumiscope layers MODEL` lists those that have one."
        )
    return addresses


def _spread(layers: Sequence[Layer], count: int) -> list[str]:
    """The names that `auto:count` stands for."""
    blocks = equal_blocks(layers)
    if blocks:
        steps = min(count, len(blocks))
        # rounded up, so that the last is the last block
        return [blocks[-(-step * len(blocks) // steps) - 1].name for step in range(1, steps + 1)]
    last_stages = stages(layers)[-count:]
    if not last_stages:
        raise LayerError(
            "expected a network with stages of maps for auto:N; this one has none. "
            "Name its layers instead; `lumiscope layers MODEL` lists them."
        )
    return [layer.name for layer in last_stages]
