"""Blocks and stages: runs of blocks with one width and resolution, as `layer4` of a ResNet; and layers by name."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models.layers import Layer

AUTO = re.compile(r"auto(?::(\d+))?")


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
    own = {block.name for block in run}
    best = last
    for layer in layers:
        inside = {block.name for block in blocks if block.name.startswith(layer.name + ".")}
        same = layer.identity == last.identity and layer.container and last.name.startswith(layer.name + ".")
        if same and inside <= own and len(layer.name) < len(best.name):
            best = layer
    return best


def select_layers(wanted: Sequence[str], layers: Sequence[Layer], target: Callable[[], str]) -> list[str]:
    """Turn names, wildcards, `auto` (what `target` gives) and `auto:5` (the last five stages) into layer names.

    Each layer once, in the order asked for. Errors: `UnknownNameError` with the nearest names; `LayerError` where
    `auto` or `auto:N` finds none.
    """
    names: dict[str, None] = {}
    known = [layer.name for layer in layers]
    for text in wanted:
        auto = AUTO.fullmatch(text)
        if auto:
            count = int(auto.group(1) or 0)
            names.update(dict.fromkeys(_last_stages(layers, count) if count else [target()]))
            continue
        matches = [text] if text in known else fnmatch.filter(known, text)
        if not matches:
            raise UnknownNameError("layer", text, known, hint="`lumiscope layers MODEL` lists them.")
        names.update(dict.fromkeys(matches))
    return list(names)


def _last_stages(layers: Sequence[Layer], count: int) -> list[str]:
    found = stages(layers)[-count:]
    if not found:
        raise LayerError(
            "expected a network with stages of maps for auto:N; this one has none. "
            "Name its layers instead; `lumiscope layers MODEL` lists them."
        )
    return [layer.name for layer in found]
