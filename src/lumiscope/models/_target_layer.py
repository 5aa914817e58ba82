"""The layer that the CAM family looks at unless told otherwise, found in the network itself, not by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from lumiscope.errors import LayerError
from lumiscope.models.deciding_run import run_counter
from lumiscope.models.guard import borrowed, hooked
from lumiscope.models.layers import Layer
from lumiscope.models.outputs import first_tensor, logits_of
from lumiscope.models.stages import stages

UNTOLD = (
    "what its scores depend on cannot be told, since no gradient reaches its layers; {layer} is the last with "
    "positions, not seen to be the one that decides. --target-layer chooses another."
)


@dataclass(frozen=True)
class TargetChoice:
    """The layer, and what is to be said of the choice."""

    layer: Layer
    notes: tuple[str, ...] = ()


def target_layer(layers: Sequence[Layer], module: torch.nn.Module, inputs: torch.Tensor) -> Layer:
    """The layer of `target_choice`."""
    return target_choice(layers, module, inputs).layer


def target_choice(layers: Sequence[Layer], module: torch.nn.Module, inputs: torch.Tensor) -> TargetChoice:
    """The last features with positions that the scores still depend on.

    In a network of (C, h, w) maps: the last ones before the pooling. Where there are tokens or (h, w, C) maps as well:
    the last layer that all the patches' influence passes through. (A class token reads the patches for the last time
    in the last block's attention, so that is the norm before it.) There one forward and a few backward passes over
    `inputs` (1, 3, H, W) tell, with other weights than the network's, so that the choice does not depend on them.
    `layers`: those of `module`, traced.

    Errors: `LayerError` where no layer holds a map.
    """
    features = stages(layers)
    if not features:
        raise LayerError(
            "expected a network with spatial features: maps, or tokens of patches; this one has none. "
            "Use a method that needs no layer, like lime."
        )
    if not any(layer.token_like for layer in layers):
        return TargetChoice(features[-1])
    candidates = _stream(layers, features[-1])
    with _influence(module, inputs, [*candidates, features[-1]]) as influence:
        if features[-1].spatial and influence.reached(features[-1:]):
            return TargetChoice(features[-1])
        passage = influence.last_passage(candidates)
        if passage is not None:
            return TargetChoice(passage)
        return TargetChoice(candidates[-1], (UNTOLD.format(layer=candidates[-1].name),))


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

    def last_passage(self, candidates: Sequence[Layer]) -> Layer | None:
        """The last of the candidates that all the influence of the one before it passes through.

        None where none has influence or gradients are forbidden.
        """
        felt = self.reached(candidates)
        if not felt or not self.score.requires_grad:
            return None
        for before, layer in zip(reversed(felt[:-1]), reversed(felt[1:]), strict=True):
            if not self.flows_around(before, layer):
                return layer
        return felt[0]


@contextmanager
def _influence(module: torch.nn.Module, inputs: torch.Tensor, layers: Sequence[Layer]) -> Iterator[_Influence]:
    """Run `module` once with weights of no meaning, with what it takes to ask for gradients at `layers` afterwards."""
    outputs: dict[str, torch.Tensor] = {}

    def keeper(layer: Layer) -> Callable[..., None]:
        is_meant = run_counter(layer.run)

        def keep(_: torch.nn.Module, __: object, output: object) -> None:
            tensor = first_tensor(output)
            if is_meant() and tensor is not None and tensor.requires_grad:
                outputs[layer.name] = tensor

        return keep

    handles = [module.get_submodule(layer.name).register_forward_hook(keeper(layer)) for layer in layers]
    with borrowed(module), hooked(*handles), torch.enable_grad():
        # a copy of the leaf, since a network may write to its input
        given = inputs.detach().clone().requires_grad_().clone()
        logits = logits_of(torch.func.functional_call(module, _stand_ins(module), (given,)))
        weights = torch.linspace(1, 2, logits.shape[1], device=logits.device)
        yield _Influence((logits * weights).sum(), outputs)


def _stand_ins(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Weights that let everything through, since a weight of 0 would hide a way: what is chosen is the network's."""
    generator = torch.Generator().manual_seed(0)
    stand_ins = {}
    for name, weight in module.named_parameters():
        if weight.is_floating_point():
            noise = torch.empty(weight.shape).uniform_(-1, 1, generator=generator)
            inputs = weight[0].numel() if weight.ndim > 1 else 1
            values = noise * (3 / inputs) ** 0.5 if weight.ndim > 1 else 1 + noise / 8  # deviation 1 / √inputs
            stand_ins[name] = values.to(weight.device, weight.dtype)
    return stand_ins
