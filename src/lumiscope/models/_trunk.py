"""The trunk of a network: the row of whole blocks that its features pass through, from the first to the last."""

from __future__ import annotations

import functools
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lumiscope.models.layers import Layer
from lumiscope.models.layout import Grid


@dataclass(frozen=True)
class Trunk:
    """`blocks`: those that join branches (a skip, several views), outermost, in the order in which they finish.

    `parts`: blocks, and what stands alone on the trunk: before them, after them, at a resolution that has none of them,
    or everywhere in a network without branches. `flat`: blocks that have a single position at this input size.
    """

    blocks: list[Layer]
    parts: list[Layer]
    flat: list[Layer]

    @functools.cached_property
    def runs(self) -> list[list[Layer]]:
        """The parts cut where grid or width changes; before the first block, where the grid does.

        Runs of one grid that lie in a part which holds no other grid are one.
        """
        first = self.parts.index(self.blocks[0]) if self.blocks else 0
        stem = [list(run) for _, run in itertools.groupby(self.parts[:first], grid)]
        runs = [run for run in stem + self._cut(self.parts[first:]) if any(part.weighted for part in run)]
        widths = [run[-1].units for run in runs]
        for before, run, after in zip(widths, runs[1:], runs[2:], strict=False):
            halves = before == run[0].units and grid(run[0]) == grid(after[0])
            if halves and (len(run) == 1 or not self.blocks):
                run.clear()  # halves the grid, and what follows changes the width: depthwise and pointwise half
        grids = _grids_inside(self.parts)
        for run, after in itertools.pairwise([run for run in runs if run]):
            blocks = [part for part in run if part in self.blocks]
            stage = {name for name in after[0].around if len(grids[name]) == 2} - (blocks or run)[0].around
            early = [block for block in blocks if block.around & stage]
            if 2 * len(early) <= len(blocks):
                run[:] = [
                    part for part in run if part not in early
                ]  # comes before the stage, in the part that holds it
        return [run for run in runs if run]

    def _cut(self, parts: Sequence[Layer]) -> list[list[Layer]]:
        """Runs of one form; one that grows at its grid may be wider than that before it."""
        grids = _grids_inside(parts)
        runs: list[list[Layer]] = []
        for part in parts:
            before = runs[-1][-1] if runs else part
            stage = {name for name in part.around & before.around if len(grids[name]) == 1}
            wider = grid(part) == grid(before) and (part.grows or stage)
            if runs and (form(part) == form(before) or wider):
                runs[-1].append(part)
            else:
                runs.append([part])
        return runs

    def stages(self, layers: Sequence[Layer]) -> list[Layer]:
        """What gives the features at the end of every run, named after what holds this run and no other."""
        return [self._stage(run, layers) for run in self.runs]

    def _stage(self, run: Sequence[Layer], layers: Sequence[Layer]) -> Layer:
        """The last block of a run; of the last run the last part, since a norm or activation may end the features."""
        ends = run if run is self.runs[-1] else [part for part in run if part in self.blocks] or run
        others = [part for other in self.runs if other is not run for part in other]
        return whole(ends[-1], others, layers)


def trunk_of(layers: Sequence[Layer]) -> Trunk:
    """Find the trunk of a network by the way of its pixels; names and weights do not count.

    A kind of part of which any joins branches is one of blocks, so that those which change the width and leave out the
    skip are whole, too. A block in a block does not count. Neither does what makes the next block's resolution (a
    transition, the merging of patches), since it is no features of a stage, or what makes a vector (a head).
    """
    kinds = {layer.kind for layer in layers if layer.joins and _is_candidate(layer)}
    blocks = _blocks(layers, kinds)
    flat = [layer for layer in layers if _is_flat(layer) and (layer.joins or layer.kind in kinds)]
    return Trunk(blocks, _parts(layers, blocks), _outermost(flat, [*flat, *_skipping(layers)]))


def _blocks(layers: Sequence[Layer], kinds: Collection[str]) -> list[Layer]:
    """The outermost parts of these kinds; where some are of the trunk, those beside it at their grid do not count."""
    joining = [layer for layer in layers if layer.kind in kinds and _is_candidate(layer)]
    grids = _grids_inside(joining)
    joining = [layer for layer in joining if layer.skips or not _holds_stages(layer, grids[layer.name])]
    blocks = _outermost(joining, [*joining, *_skipping(layers)])
    through = {grid(block) for block in blocks if block.trunk}
    blocks = [block for block in blocks if block.trunk or grid(block) not in through]
    within = _grids_inside([layer for layer in layers if layer.weighted and layer.on_path and layer.has_map])
    around = Counter(name for block in blocks for name in block.around)
    larger = [
        layer
        for layer in layers
        if around[layer.name] == 1 and _is_candidate(layer) and not layer.container
        if not _is_wrapper(layer, within[layer.name])
    ]
    return sorted((_completed(block, larger) for block in blocks), key=layers.index)


def _completed(block: Layer, larger: Sequence[Layer]) -> Layer:
    """The outermost part around a block that goes on with its maps, as one that mixes what the block concatenated."""
    around = [layer for layer in larger if inside(block, layer) and grid(layer) == grid(block)]
    return min(around, key=lambda layer: len(layer.around), default=block)


def _parts(layers: Sequence[Layer], blocks: Sequence[Layer]) -> list[Layer]:
    """The blocks, and what does something outside of them: behind the last, or at a grid that has none."""
    within = _grids_inside([layer for layer in layers if layer.weighted and layer.on_path and layer.has_map])
    around = {name for block in blocks for name in block.around}
    doing = [
        layer
        for layer in layers
        if not (layer.name in around or layer.container or layer.passive or _is_wrapper(layer, within[layer.name]))
    ]
    names, grids = {block.name for block in blocks}, {grid(block) for block in blocks}
    ends = layers.index(blocks[-1]) if blocks else -1
    behind = {layer.name for layer in layers[ends + 1 :]}
    alone = {
        layer.name
        for layer in _outermost(doing, doing)
        if layer.on_path and layer.has_map and not layer.pooling and (layer.trunk or not blocks)
        if layer.name in behind or grid(layer) not in grids
    }
    return [layer for layer in layers if layer.name in names | alone]


def _is_candidate(layer: Layer) -> bool:
    return layer.on_path and layer.has_map and layer.weighted and not layer.passive


def _skipping(layers: Sequence[Layer]) -> list[Layer]:
    return [layer for layer in layers if layer.skips]


def _is_flat(layer: Layer) -> bool:
    """Whether the maps of a part with weights have shrunk to one position."""
    return layer.on_path and layer.weighted and layer.layout is not None and layer.layout.positions == 1


def _outermost(parts: Sequence[Layer], around: Sequence[Layer]) -> list[Layer]:
    """Those of `parts` that run in none of `around`."""
    names = {layer.name for layer in around}
    return [part for part in parts if not part.around & names]


def _grids_inside(parts: Sequence[Layer]) -> defaultdict[str, set[Grid]]:
    """By the name of a part around them: the grids of `parts`."""
    grids: defaultdict[str, set[Grid]] = defaultdict(set)
    for part in parts:
        for name in part.around:
            grids[name].add(grid(part))
    return grids


def _is_wrapper(layer: Layer, grids: Collection[Grid]) -> bool:
    """Whether a part is a network of its own: with more resolutions than the two of a block that halves one."""
    return len(grids) > (2 if layer.has_map else 1)


def _holds_stages(layer: Layer, grids: Collection[Grid]) -> bool:
    """Whether a part that joins branches joins those of whole stages: a network of its own, and no block."""
    return len(grids) > 2 or (len(grids) == 2 and grid(layer) != min(grids))


def whole(layer: Layer, others: Sequence[Layer], layers: Sequence[Layer]) -> Layer:
    """The outermost part that ends in `layer` with the same grid and width, and holds none of `others`; or itself."""
    around = [
        part
        for part in layers
        if inside(layer, part) and part.has_map and form(part) == form(layer) and not part.pooling
    ]
    around = [part for part in around if not any(inside(other, part) for other in others)]
    return min(around, key=lambda part: len(part.name), default=layer)


def grid(layer: Layer) -> Grid:
    """(h, w) of its maps."""
    return layer.map_layout.grid


def form(layer: Layer) -> tuple[Grid, int]:
    """Grid and width: equal for the same features in another order of axes."""
    return grid(layer), layer.units


def inside(layer: Layer, other: Layer) -> bool:
    """Whether a part runs in another."""
    return other.name in layer.around
