"""The layers of a network as one forward pass meets them: their shapes, and where their maps are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import torch

from lumiscope.errors import LayerError
from lumiscope.models._flow import Flow, watchable_parts
from lumiscope.models.guard import borrowed
from lumiscope.models.layout import Grid, Layout, token_layout
from lumiscope.models.outputs import first_tensor
from lumiscope.unit_address import CLASS_TOKEN

Shape = tuple[int, ...]
FIRST_AXIS = (torch.nn.Conv2d, torch.nn.BatchNorm2d)  # what they give is (C, h, w), also where C = h = w
EXPECTED = (
    "expected a layer whose output holds a map of several positions: (channels, height, width), "
    "(height, width, channels) or (tokens, channels)"
)


@dataclass(frozen=True)
class Layer:
    """A module that one forward pass ran, with the shape of its output without the batch.

    `units`: channels, features or token width. `layout`: where the maps are in the output; None where it holds none.
    `per_image`: whether the output has one row an image; windows of positions, as in Swin's attention, are more.
    `class_token`: whether the first token stands for the whole image and no patch.
    `identity`: equal for modules that returned the very same tensor. `weighted`: whether it has parameters.
    `container`: only passes its input through its parts. `passive`: changes nothing in evaluation mode (dropout).
    `around`: the names of the parts that it ran in.
    `on_path`: whether the scores depend on its output; `trunk`: whether neither skip nor branch gets around it.
    `joins`: whether it adds or concatenates branches itself; `skips`: its input among them, as a residual block does;
    `grows`: whether it concatenates its input with what it made of it, as a dense block does.
    `run`: which of its runs this is, from 0; None: the last.
    """

    name: str
    kind: str
    shape: Shape
    units: int
    layout: Layout | None
    per_image: bool
    class_token: bool
    weighted: bool
    container: bool
    pooling: bool
    passive: bool
    identity: int
    around: frozenset[str] = frozenset()
    on_path: bool = True
    trunk: bool = True
    joins: bool = False
    skips: bool = False
    grows: bool = False
    run: int | None = None

    @property
    def has_map(self) -> bool:
        """Whether the output holds maps of more than one position."""
        return self.layout is not None and self.layout.positions > 1

    @property
    def spatial(self) -> bool:
        """Whether the output is a (C, h, w) map of more than one position."""
        return self.has_map and self.layout is not None and self.layout.kind == "maps"

    @property
    def token_like(self) -> bool:
        """Whether the output holds maps in another order of axes: (tokens, C) or (h, w, C)."""
        return self.has_map and not self.spatial

    @property
    def has_units(self) -> bool:
        """Whether its channels, features or token width are units with one activation an image."""
        return self.per_image and (self.layout is not None or len(self.shape) <= 2)

    @property
    def class_address(self) -> str | None:
        """The address of its class token; None where it has none."""
        return self.name + CLASS_TOKEN if self.class_token else None

    @property
    def map_layout(self) -> Layout:
        """The layout. Errors: `LayerError` where the output holds no map of several positions, saying why."""
        if self.layout is not None and self.layout.positions > 1:
            return self.layout
        came = f"shape {self.shape}" if self.per_image else f"{self.shape} for every part of the image, as windows do"
        raise LayerError(f"{EXPECTED}; {self.name} gives {came}")


@dataclass(frozen=True)
class _Output:
    name: str
    part: torch.nn.Module
    shape: Shape
    per_image: bool
    identity: int
    value: int | None
    passive: bool
    joins: bool
    skips: bool
    grows: bool
    run: int


def trace_layers(module: torch.nn.Module, inputs: torch.Tensor) -> list[Layer]:
    """Run `inputs` (B, 3, H, W) through `module` once and list its parts in the order in which they finished.

    A part that runs more than once stands where its last run was that the scores depend on, as `deciding_run` has it;
    one that never reaches them, at its last. Parts without a tensor output, those that make a weight
    (`torch.nn.utils.parametrize`) and TorchScript parts, which cannot be watched, are left out. Errors: `LayerError`
    for a network that is TorchScript as a whole.
    """
    if isinstance(module, torch.jit.ScriptModule):
        raise LayerError(
            "expected a network of modules; TorchScript hides its layers. Use a method that needs no layer, like lime "
            "or integrated_gradients, or give the network from which it was made."
        )
    runs: list[_Output] = []
    kept: list[torch.Tensor] = []  # a tensor that lives keeps its id to itself

    counts: Counter[str] = Counter()

    def note(name: str, part: torch.nn.Module, output: object) -> None:
        run = counts[name]
        counts[name] += 1
        tensor = first_tensor(output)
        if tensor is None or tensor.ndim < 2:
            return
        kept.append(tensor)
        groups = (flow.passing, flow.joining, flow.skipping, flow.growing)
        passive, joins, skips, grows = (name in group for group in groups)
        form = tuple(tensor.shape[1:]), len(tensor) == len(inputs), id(tensor), flow.value_of(tensor)
        runs.append(_Output(name, part, *form, passive, joins, skips, grows, run))

    inputs = inputs.clone()  # a network may write to it
    flow = Flow(inputs)
    with borrowed(module), torch.no_grad(), flow.watched(watchable_parts(module), note):
        scores = first_tensor(module(inputs))
    end = None if scores is None else flow.value_of(scores)
    path, trunk = (flow.path(end), flow.trunk(end)) if end is not None else (None, None)
    outputs = _deciding(runs, path)
    layouts = _layouts(outputs, module, (inputs.shape[2], inputs.shape[3]))
    classes = not _says_no_class_token(module)
    return [
        replace(
            _described(output, layout, classes),
            around=flow.around[output.name],
            on_path=path is None or output.value in path,
            trunk=trunk is None or output.value in trunk,
            joins=output.joins,
            skips=output.skips,
            grows=output.grows,
            run=None if output.run == counts[output.name] - 1 else output.run,
        )
        for output, layout in zip(outputs, layouts, strict=True)
    ]


def _deciding(runs: Sequence[_Output], path: Collection[int] | None) -> list[_Output]:
    """Of every part its last run on the path to the scores, or its last, in the order in which these finished."""
    chosen: dict[str, _Output] = {}
    for output in runs:
        before = chosen.get(output.name)
        if before is None or not path or output.value in path or before.value not in path:
            chosen[output.name] = output
    return [output for output in runs if chosen[output.name] is output]


def _says_no_class_token(module: torch.nn.Module) -> bool:
    """Whether all tokens before the patches are registers, as in a network of timm that averages its patches."""
    return any(
        hasattr(part, "num_prefix_tokens") and getattr(part, "cls_token", part) is None for part in module.modules()
    )


def _described(output: _Output, layout: Layout | None, class_tokens: bool) -> Layer:
    last = len(output.shape) == 2 or (layout is not None and layout.kind == "channels_last")
    weighted = next(output.part.parameters(), None) is not None
    return Layer(
        name=output.name,
        kind=type(output.part).__name__,
        shape=output.shape,
        units=output.shape[-1] if last else output.shape[0],
        layout=layout,
        per_image=output.per_image,
        class_token=class_tokens and layout is not None and layout.prefix > 0,
        weighted=weighted,
        container=type(output.part).forward is torch.nn.Sequential.forward,
        pooling="pool" in type(output.part).__name__.lower() and not weighted,
        passive=output.passive,
        identity=output.identity,
    )


def _layouts(outputs: Sequence[_Output], module: torch.nn.Module, size: Grid) -> list[Layout | None]:
    """The layout of every output, from its shape and from what came before it."""
    first_axis = {output.shape for output in outputs if isinstance(output.part, FIRST_AXIS)}
    last_axis = {output.shape for output in outputs if output.per_image and _works_on_last_axis(output)}
    last_axis = (last_axis | _tokens_as_grids(outputs, first_axis)) - first_axis
    said = [getattr(part, "num_prefix_tokens", None) for part in module.modules()]
    prefixes = [prefix for prefix in said if isinstance(prefix, int)]
    grids: list[Grid] = []
    tokens: set[Shape] = set()
    layouts: list[Layout | None] = []
    for output in outputs:
        shape, layout = output.shape, None
        if output.per_image and (shape in last_axis or _works_on_last_axis(output)):
            layout = _channels_last(shape, grids)
        elif output.per_image and len(shape) == 3 and not _is_inside_attention(output, tokens):
            unfolded = _is_unfolded((shape[1], shape[2]), grids, size)
            layout = None if unfolded else Layout("maps", (shape[1], shape[2]))
        elif output.per_image and len(shape) == 2 and shape[0] > 1:
            layout = token_layout(shape[0], grids, prefixes, size)
        if layout is not None and layout.kind == "tokens":
            tokens.add(shape)
        elif layout is not None and layout.positions > 1:
            grids.append(layout.grid)
        layouts.append(layout)
    return layouts


def _is_unfolded(grid: Grid, grids: Sequence[Grid], size: Grid) -> bool:
    """Whether the positions of earlier maps lie in another order, as (pixels of a patch, patches) in MobileViT v2."""
    height, width = grid
    rows = [earlier[0] * earlier[1] for earlier in grids]
    return height * size[1] != width * size[0] and grid not in grids and height * width in rows


def _channels_last(shape: Shape, grids: Sequence[Grid]) -> Layout | None:
    """The layout of (h, w, C); None for (windows, positions in one, C), as in NesT, which only look so."""
    rows = [height * width for height, width in grids]
    windows = shape[:2] not in grids and shape[0] * shape[1] in rows
    return None if windows else Layout("channels_last", (shape[0], shape[1]))


def _works_on_last_axis(output: _Output) -> bool:
    """Whether a part proves that its 3-D output is (h, w, C). timm's LayerNorm2d is a LayerNorm of (C, h, w) maps."""
    if len(output.shape) != 3:
        return False
    if isinstance(output.part, torch.nn.LayerNorm):
        return tuple(output.part.normalized_shape) == output.shape[-1:] != output.shape[:1]
    return isinstance(output.part, torch.nn.Linear)


def _tokens_as_grids(outputs: Sequence[_Output], first_axis: set[Shape]) -> set[Shape]:
    """Shapes (h, w, C) of networks, as TinyViT, that put tokens (h · w, C) back onto the grid of earlier maps."""
    shapes = {output.shape for output in outputs if output.per_image}
    grids = {shape[1:] for shape in first_axis if len(shape) == 3}
    return {shape for shape in shapes if shape[:2] in grids and (shape[0] * shape[1], *shape[2:]) in shapes}


def _is_inside_attention(output: _Output, tokens: set[Shape]) -> bool:
    """Whether a 3-D output is no map but (heads, queries, width of a head) or (heads, queries, tokens)."""
    heads, queries, columns = output.shape
    weights = output.passive or isinstance(output.part, torch.nn.Softmax)
    return any(
        queries in (1, count) and (heads * columns == width or (columns == count and weights))
        for count, width in tokens
    )


def layout_of(name: str, layers: Sequence[Layer]) -> Layout:
    """Return the layout of the layer `name`. Errors: `LayerError` where its output holds no map, saying why."""
    for layer in layers:
        if layer.name == name:
            return layer.map_layout
    raise LayerError(f"{EXPECTED}; {name} gives no tensor in a forward pass")
