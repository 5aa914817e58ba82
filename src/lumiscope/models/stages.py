"""Blocks and stages: runs of blocks with one width and resolution, as `layer4` of a ResNet; and layers by address."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models.layers import Layer
from lumiscope.unit_address import CLASS_TOKEN

AUTO = re.compile(r"auto(?::(\d+))?")
NUMBERED = re.compile(r"(.*?)\d+")


def stages(layers: Sequence[Layer]) -> list[Layer]:
    """The last layer of every stage: a run of blocks with one width and resolution, that has weights.

    A block is a part that is no mere container and lies in no other block. Its stage is named after the outermost
    container that holds this stage and nothing else, as `layer4` for `layer4.0`, `layer4.1` and `layer4.2`.
    """
    blocks = [layer for layer in layers if is_block(layer, layers) and layer.has_map]
    runs: list[list[Layer]] = []
    for block in blocks:
        if runs and runs[-1][-1].shape == block.shape:
            runs[-1].append(block)
        else:
            runs.append([block])
    return [lifted(run, blocks, layers) for run in runs if any(block.weighted for block in run)]


def is_block(layer: Layer, layers: Sequence[Layer]) -> bool:
    """Whether a part does something, and is not itself a part of a part that does."""
    if layer.container or layer.passive or _is_wrapper(layer, layers):
        return False
    around = (other for other in layers if layer.name.startswith(other.name + "."))
    return not any(not other.container and not _is_wrapper(other, layers) for other in around)


def _is_wrapper(layer: Layer, layers: Sequence[Layer]) -> bool:
    """Whether a part is a network of its own, whose stages lie inside, and no block.

    So are parts that turn maps into a vector, and parts with more than the two resolutions of a block that halves one.
    """
    maps = {inner.shape for inner in layers if inner.name.startswith(layer.name + ".") and inner.spatial}
    return bool(maps) and (len(layer.shape) == 1 or len({shape[1:] for shape in maps}) > 2)


def lifted(run: list[Layer], blocks: Sequence[Layer], layers: Sequence[Layer]) -> Layer:
    """Rename the last block of `run` to the outermost container that gives the same tensor and holds only `run`."""
    last = run[-1]
    names_of_run = {block.name for block in run}
    best = last
    for layer in layers:
        inside = {block.name for block in blocks if block.name.startswith(layer.name + ".")}
        same = layer.identity == last.identity and layer.container and last.name.startswith(layer.name + ".")
        if same and inside <= names_of_run and len(layer.name) < len(best.name):
            best = layer
    return best


def equal_blocks(layers: Sequence[Layer]) -> list[Layer]:
    """The blocks of a network that is one stage of many equal ones, as a ViT; none for other networks.

    Equal blocks are parts of one container, numbered, of one class and shape. A network is such a stage if no blocks
    repeat at another resolution and there are more of them than stages.
    """
    groups: dict[tuple[str, str, tuple[int, ...]], list[Layer]] = {}
    for layer in layers:
        numbered = NUMBERED.fullmatch(layer.name)
        if numbered and layer.has_map and layer.weighted:
            groups.setdefault((numbered[1], layer.kind, layer.shape), []).append(layer)
    repeated = [group for group in groups.values() if len(group) > 1]
    inside = {layer.name for group in repeated for layer in group}
    outermost = [group for group in repeated if not _ancestors(group[0].name) & inside]
    if len({group[0].map_layout.grid for group in outermost}) != 1:
        return []
    longest = max(outermost, key=len)
    return longest if len(longest) > len(stages(layers)) else []


def _ancestors(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts))}


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


def check_layer_names(wanted: Sequence[str], parts: Sequence[str]) -> None:
    """Look up what `select_layers` is asked for among the names of a network's parts, which need no forward pass.

    Errors: `UnknownNameError` with the nearest names.
    """
    for text in wanted:
        name = text.removesuffix(CLASS_TOKEN)
        if not AUTO.fullmatch(text) and name not in parts and not fnmatch.filter(parts, name):
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
