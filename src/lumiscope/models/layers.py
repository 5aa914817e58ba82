"""The layers of a network as one forward pass meets them: shapes, stages, the layer to explain at."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models.guard import borrowed, hooked
from lumiscope.models.outputs import first_tensor

AUTO = re.compile(r"auto(?::(\d+))?")


@dataclass(frozen=True)
class Layer:
    """A module that one forward pass ran, with the shape of its output without the batch.

    `units`: channels, features or token width. `spatial`: whether the output is a (C, h, w) map larger than 1×1.
    `identity`: equal for modules that returned the very same tensor. `weighted`: whether it has parameters.
    `container`: only passes its input through its parts. `passive`: changes nothing in evaluation mode (dropout).
    `channels_last`: the output is (h, w, C), as in Swin.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    units: int
    weighted: bool
    container: bool
    pooling: bool
    passive: bool
    channels_last: bool
    identity: int

    @property
    def spatial(self) -> bool:
        """Whether the output is a map of more than one position."""
        return len(self.shape) == 3 and self.shape[1] * self.shape[2] > 1 and not self.channels_last

    @property
    def token_like(self) -> bool:
        """Whether the output has several positions in another order of axes: (tokens, C) or (h, w, C)."""
        return self.channels_last or (len(self.shape) == 2 and self.shape[0] > 1)


def trace_layers(module: torch.nn.Module, inputs: torch.Tensor) -> list[Layer]:
    """Run `inputs` (B, 3, H, W) through `module` once and list its parts in the order in which they finished.

    A part that runs more than once stands where it ran last. Parts without a tensor output are left out.
    """
    found: dict[str, Layer] = {}
    kept: list[torch.Tensor] = []  # a tensor that lives keeps its id to itself

    def note(name: str, part: torch.nn.Module, output: object) -> None:
        tensor = first_tensor(output)
        if tensor is None or tensor.ndim < 2:
            return
        kept.append(tensor)
        found.pop(name, None)
        found[name] = _describe(name, part, tensor)

    handles = [
        part.register_forward_hook(lambda part, _, output, name=name: note(name, part, output))
        for name, part in module.named_modules()
        if name
    ]
    with borrowed(module), hooked(*handles), torch.no_grad():
        module(inputs)
    return _with_channels_last(list(found.values()))


def _describe(name: str, part: torch.nn.Module, tensor: torch.Tensor) -> Layer:
    shape = tuple(tensor.shape[1:])
    return Layer(
        name=name,
        kind=type(part).__name__,
        shape=shape,
        units=shape[-1] if len(shape) == 2 else shape[0],
        weighted=next(part.parameters(), None) is not None,
        container=type(part).forward is torch.nn.Sequential.forward,
        pooling="pool" in type(part).__name__.lower(),
        passive=isinstance(part, torch.nn.Identity) or "Drop" in type(part).__name__,
        channels_last=_works_on_last_axis(part, shape),
        identity=id(tensor),
    )


def _works_on_last_axis(part: torch.nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether `part` proves that a 3-D `shape` is (h, w, C). timm's LayerNorm2d is a LayerNorm of (C, h, w) maps."""
    if len(shape) != 3:
        return False
    if isinstance(part, torch.nn.LayerNorm):
        return tuple(part.normalized_shape) == shape[-1:] != shape[:1]
    return isinstance(part, torch.nn.Linear)


def _with_channels_last(layers: list[Layer]) -> list[Layer]:
    """Carry the proof of channels-last parts over to every layer that gives the same shape."""
    proven = {layer.shape for layer in layers if layer.channels_last}
    return [
        replace(layer, channels_last=True, units=layer.shape[-1]) if layer.shape in proven else layer
        for layer in layers
    ]


def stages(layers: Sequence[Layer]) -> list[Layer]:
    """The last layer of every stage: a run of blocks with one width and resolution, that has weights.

    A block is a part that is no mere container and lies in no other block. Its stage is named after the outermost
    container that holds this stage and nothing else, as `layer4` for `layer4.0`, `layer4.1` and `layer4.2`.
    """
    blocks = [layer for layer in layers if _is_block(layer, layers) and layer.spatial]
    runs: list[list[Layer]] = []
    for block in blocks:
        if runs and runs[-1][-1].shape == block.shape:
            runs[-1].append(block)
        else:
            runs.append([block])
    return [_lifted(run, blocks, layers) for run in runs if any(block.weighted for block in run)]


def _is_block(layer: Layer, layers: Sequence[Layer]) -> bool:
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


def _lifted(run: list[Layer], blocks: Sequence[Layer], layers: Sequence[Layer]) -> Layer:
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


def target_layer(layers: Sequence[Layer]) -> Layer:
    """The last spatial features before the pooling that ends them: where the CAM family looks.

    Errors: `LayerError` where the network has no spatial features, or leaves them for tokens.
    """
    ordered = [layer for layer in layers if _is_block(layer, layers)]
    several = [layer for layer in ordered if layer.spatial or layer.token_like]
    if several and several[-1].token_like:
        raise LayerError(
            "expected a network that ends in spatial features (channels, height, width); this one ends in "
            f"{several[-1].name}, which gives {several[-1].shape}: tokens, or channels last. "
            "Name a layer that gives maps, or use a method that needs no layer, like lime."
        )
    blocks = [layer for layer in ordered if layer.spatial]
    while blocks and blocks[-1].pooling:
        blocks.pop()
    if not blocks:
        raise LayerError("expected a network with spatial features (channels, height, width); this one has none")
    run = [block for block in blocks if block.shape == blocks[-1].shape]
    return _lifted(run, blocks, layers)


def _last_stages(layers: Sequence[Layer], count: int) -> list[Layer]:
    found = stages(layers)[-count:]
    if not found:
        raise LayerError(
            "expected a network with stages of (channels, height, width) maps for auto:N; this one has none. "
            "Name its layers instead; `lumiscope layers MODEL` lists them."
        )
    return found


def select_layers(wanted: Sequence[str], layers: Sequence[Layer]) -> list[str]:
    """Turn names, wildcards, `auto` (the target layer) and `auto:5` (the last five stages) into layer names.

    Each layer once, in the order asked for. Errors: `UnknownNameError` with the nearest names.
    """
    names: dict[str, None] = {}
    known = [layer.name for layer in layers]
    for text in wanted:
        auto = AUTO.fullmatch(text)
        if auto:
            count = auto.group(1)
            last = _last_stages(layers, int(count)) if count and int(count) else [target_layer(layers)]
            names.update(dict.fromkeys(layer.name for layer in last))
            continue
        matches = [text] if text in known else fnmatch.filter(known, text)
        if not matches:
            raise UnknownNameError("layer", text, known, hint="`lumiscope layers MODEL` lists them.")
        names.update(dict.fromkeys(matches))
    return list(names)
