"""The layer that the CAM family looks at unless told otherwise, found in the network itself, not by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from lumiscope.errors import LayerError
from lumiscope.models.guard import borrowed, hooked
from lumiscope.models.layers import Layer
from lumiscope.models.outputs import first_tensor, logits_of
from lumiscope.models.stages import is_block, lifted


def target_layer(layers: Sequence[Layer], module: torch.nn.Module, inputs: torch.Tensor) -> Layer:
    """The last features with positions that the scores still depend on.

    In a network of (C, h, w) maps: the last ones before the pooling. Where there are tokens or (h, w, C) maps as well:
    the last layer that all the patches' influence passes through. (A class token reads the patches for the last time
    in the last block's attention, so that is the norm before it.) There one forward and a few backward passes over
    `inputs` (1, 3, H, W) tell. `layers`: those of `module`, traced.

    Errors: `LayerError` where no layer holds a map.
    """
    blocks = [layer for layer in layers if is_block(layer, layers) and layer.has_map and not layer.pooling]
    if not blocks:
        raise LayerError(
            "expected a network with spatial features: maps, or tokens of patches; this one has none. "
            "Use a method that needs no layer, like lime."
        )
    if not any(layer.token_like for layer in layers):
        return _last_maps(blocks, layers)
    candidates = _stream(layers, blocks[-1])
    with _influence(module, inputs, [*candidates, blocks[-1]]) as influence:
        if blocks[-1].spatial and influence.reached(blocks[-1:]):
            return _last_maps(blocks, layers)
        return influence.last_passage(candidates)


def _last_maps(blocks: Sequence[Layer], layers: Sequence[Layer]) -> Layer:
    return lifted([layer for layer in blocks if layer.shape == blocks[-1].shape], blocks, layers)


def _stream(layers: Sequence[Layer], last: Layer) -> list[Layer]:
    """What flows from block to block at the resolution of `last`; queries and hidden layers are of another width.

    Of parts that return the very same tensor the innermost stands for all.
    """
    at_resolution = [
        layer
        for layer in layers
        if layer.has_map
        and layer.map_layout.grid == last.map_layout.grid
        and not (layer.passive or layer.container or layer.pooling)
    ]
    width = Counter(layer.units for layer in at_resolution).most_common(1)[0][0]
    stream = {layer.identity: layer for layer in reversed(at_resolution) if layer.units == width}
    return list(reversed(stream.values()))


class _Influence:
    """Which positions the scores depend on: there their gradient is not 0.

    `outputs`: of layers, by name, on the way to `score`, a sum of all logits with different weights.
    """

    def __init__(self, score: torch.Tensor, outputs: dict[str, torch.Tensor]) -> None:
        self.score = score
        self.outputs = outputs

    def reached(self, layers: Sequence[Layer]) -> list[Layer]:
        """Those of `layers` whose patches the score depends on; all of them where gradients are forbidden."""
        if not self.score.requires_grad:
            return list(layers)
        on_the_path = [layer for layer in layers if layer.name in self.outputs]
        if not on_the_path:
            return []
        gradients = torch.autograd.grad(
            self.score, [self.outputs[layer.name] for layer in on_the_path], retain_graph=True, allow_unused=True
        )
        return [
            layer
            for layer, gradient in zip(on_the_path, gradients, strict=True)
            if gradient is not None and bool(layer.map_layout.maps(gradient).any())
        ]

    def flows_around(self, before: Layer, layer: Layer) -> bool:
        """Whether the patches of `before` reach the score in another way than through the patches of `layer`."""

        def stop(gradient: torch.Tensor) -> torch.Tensor:
            stopped = gradient.clone()
            layer.map_layout.maps(stopped).zero_()
            return stopped

        handle = self.outputs[layer.name].register_hook(stop)  # type: ignore[no-untyped-call]
        try:
            return bool(self.reached([before]))
        finally:
            handle.remove()

    def last_passage(self, candidates: Sequence[Layer]) -> Layer:
        """The last of the candidates that all the influence of the one before it passes through.

        Where nothing has influence (a last layer of zeros) or gradients are forbidden it is the last candidate.
        """
        felt = self.reached(candidates)
        if not felt or not self.score.requires_grad:
            return candidates[-1]
        for before, layer in zip(reversed(felt[:-1]), reversed(felt[1:]), strict=True):
            if not self.flows_around(before, layer):
                return layer
        return felt[0]


@contextmanager
def _influence(module: torch.nn.Module, inputs: torch.Tensor, layers: Sequence[Layer]) -> Iterator[_Influence]:
    """Run `module` once, with what it takes to ask for gradients at `layers` afterwards."""
    outputs: dict[str, torch.Tensor] = {}

    def keep(name: str, output: object) -> None:
        tensor = first_tensor(output)
        if tensor is not None and tensor.requires_grad:
            outputs[name] = tensor

    handles = [
        module.get_submodule(layer.name).register_forward_hook(
            lambda _, __, output, name=layer.name: keep(name, output)
        )
        for layer in layers
    ]
    with borrowed(module), hooked(*handles), torch.enable_grad():
        # a copy of the leaf, since a network may write to its input
        logits = logits_of(module(inputs.detach().clone().requires_grad_().clone()))
        weights = torch.linspace(1, 2, logits.shape[1], device=logits.device)
        yield _Influence((logits * weights).sum(), outputs)
